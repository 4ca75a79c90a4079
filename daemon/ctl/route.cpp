#include <sysexits.h>

#include <boost/json/serialize.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "ctl/commands.hpp"
#include "ctl/text.hpp"

namespace outpost::ctl {
namespace {

namespace json = boost::json;

struct Question {
    control::Query query;
    std::string file;
};

void print(const json::value& answer) {
    if (answer.at("accepted").as_bool()) {
        const std::string from = text(answer, "goes_out");
        std::cout << "accepted, priority " << text(answer, "priority");
        if (!from.empty())
            std::cout << "; goes out from " << from << " (" << text(answer, "goes_out_because")
                      << ')';
        std::cout << '\n';
    } else {
        std::cout << (answer.at("refused_now").as_bool() ? "refused now: " : "refused: ")
                  << text(answer, "refusal") << '\n';
    }
    for (const json::value& level : answer.at("limits").as_array())
        std::cout << "account: " << text(level, "used") << " of " << text(level, "limit")
                  << " used\n";
    const std::string strategy = text(answer, "strategy");
    std::cout << "via " << text(answer, "via")
              << (strategy.empty() ? std::string() : " (" + strategy + ")") << ", by "
              << text(answer, "because") << "\n\n"
              << upstream_table(answer.at("upstreams").as_array());
}

int route(Session& session, const Question& question) {
    std::string message;
    if (!question.file.empty()) {
        std::ifstream in(question.file, std::ios::binary);
        message.assign(std::istreambuf_iterator<char>(in), {});
        if (!in.good() && !in.eof())
            return session.fail("cannot read " + question.file, EX_NOINPUT);
    }
    const auto answer = session.ask("POST", "/v1/route", question.query, std::move(message));
    if (!answer) return session.code;
    if (session.json) {
        std::cout << json::serialize(*answer) << '\n';
    } else {
        print(*answer);
    }
    return EX_OK;
}

}  // namespace

void add_route(CLI::App& app, Session& session) {
    const auto question = std::make_shared<Question>();
    CLI::App* const command =
        app.add_subcommand("route", "What would happen to a message, and why");
    const auto add = [&](const char* option, const char* key, const char* help) {
        return command->add_option_function<std::string>(
            option, [question, key](const std::string& value) { question->query[key] = value; },
            help);
    };
    add("--account", "account", "Who submits it")->required();
    add("--from", "from", "The envelope's sender; none for a report");
    add("--to", "to", "A recipient")->required();
    command
        ->add_option("--file", question->file,
                     "The message: its header is judged, and gives its priority")
        ->check(CLI::ExistingFile);
    command->footer(
        "Example: outpostctl route --account shop --from a@example.com --to b@gmail.com");
    command->callback([&session, question] {
        session.run = [&session, question] { return route(session, *question); };
    });
}

}  // namespace outpost::ctl
