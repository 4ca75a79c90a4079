# bash completion for outpostctl(8): commands, options, and the names of upstreams of the daemon that
# answers. Commands and options stand in one table; tests/e2e hold it to `outpostctl --help`.

_outpostctl_words() {
    local filters="--account --sender --rcpt --upstream --state --why --older --of-priority"
    local change="$filters --all --dry-run --limit"
    local settings="--domains --senders --networks --priority --priority-cap --quota --timezone"
    settings+=" --when-exceeded --rate --smooth --submit-rate --deliver-days --deliver-hours"
    settings+=" --deliver-timezone --route --weight --max-message-size --max-recipients"
    settings+=" --provider-headers --note"
    case $1 in
        "") echo "status queue why history route upstream account reload hash-password config --socket --json --reason --version" ;;
        queue) echo "list show cat hold release retry cancel move priority" ;;
        "queue list") echo "$filters --limit" ;;
        "queue hold" | "queue release" | "queue retry") echo "$change" ;;
        "queue cancel") echo "$change --bounce" ;;
        "queue move") echo "$change --to" ;;
        "queue priority") echo "$change" ;;
        history) echo "--id --account --sender --rcpt --upstream --result --since --until --limit --follow" ;;
        route) echo "--account --from --to --file" ;;
        upstream) echo "list pause resume test send-test" ;;
        "upstream send-test") echo "--to --from --subject" ;;
        account) echo "list show add set reset-password disable enable remove" ;;
        "account add" | "account set") echo "$settings" ;;
        config) echo "check" ;;
    esac
}

# What an option takes; nothing for one without a value.
_outpostctl_value() {
    case $1 in
        --socket | --file) echo file ;;
        --state) echo state ;;
        --upstream) echo upstream ;;
        --to) [[ $2 == "queue move" ]] && echo upstream || echo any ;;
        --of-priority) echo priority ;;
        --result) echo result ;;
        --id | --since | --until) echo any ;;
        --when-exceeded) echo exceeded ;;
        --smooth | --provider-headers) echo boolean ;;
        --priority | --priority-cap) echo priority ;;
        --reason | --account | --sender | --rcpt | --why | --older | --limit | --from | --subject) echo any ;;
        --domains | --senders | --networks | --quota | --timezone | --rate | --submit-rate) echo any ;;
        --deliver-* | --route | --weight | --max-* | --note) echo any ;;
    esac
}

_outpostctl_upstreams() {
    outpostctl ${socket:+--socket "$socket"} --json upstream list 2>/dev/null |
        grep -o '"name":"[^"]*"' | cut -d'"' -f4
}

_outpostctl() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local path="" socket="" kind i
    for ((i = 1; i < COMP_CWORD; i++)); do
        local each=${COMP_WORDS[i]}
        if [[ $each == --* ]]; then
            [[ $each == --socket ]] && socket=${COMP_WORDS[i + 1]}
            [[ -z $(_outpostctl_value "$each" "$path") ]] || ((i++))
        elif [[ " $(_outpostctl_words "$path") " == *" $each "* ]]; then
            path=${path:+$path }$each
        fi
    done
    kind=$(_outpostctl_value "$previous" "$path")
    if [[ -z $kind ]]; then
        case $path in
            "upstream pause" | "upstream resume" | "upstream test" | "upstream send-test") kind=upstream ;;
            "config check") kind=file ;;
        esac
        [[ $word == -* ]] && kind=
    fi
    local choice
    case $kind in
        file)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return ;;
        state) choice="ready limited waiting held sending reporting" ;;
        upstream) choice=$(_outpostctl_upstreams) ;;
        priority) choice="1 2 3 4 5" ;;
        exceeded) choice="reject hold" ;;
        result) choice="delivered deferred uncertain bounced dropped expired damaged cancelled held released" ;;
        boolean) choice="true false" ;;
        any) choice="" ;;
        *) choice="$(_outpostctl_words "$path") --help" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$choice" -- "$word")
}

complete -F _outpostctl outpostctl
