#include "control/account_views.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "control/json_views.hpp"

namespace outpost::control {
namespace {

namespace json = boost::json;

template <class Number>
json::value number(const std::optional<Number>& value) {
    if (!value) return nullptr;
    return *value;
}

json::array texts(const std::vector<std::string>& all) {
    json::array list;
    for (const std::string& each : all) list.emplace_back(each);
    return list;
}

json::array rates(const std::vector<limit::Rate>& all) {
    json::array list;
    for (const limit::Rate& each : all) list.emplace_back(each.text());
    return list;
}

json::value quota(const config::Account& account) {
    const limit::Quota& quota = account.limits.quota;
    if (quota.empty()) return nullptr;
    const bool holds = account.when_exceeded == config::WhenExceeded::hold;
    return {{"hourly", number(quota.hourly)},
            {"daily", number(quota.daily)},
            {"monthly", number(quota.monthly)},
            {"timezone", quota.zone.name()},
            {"when_exceeded", holds ? "hold" : "reject"}};
}

std::string_view name_of(config::ListenerTls tls) {
    switch (tls) {
        case config::ListenerTls::starttls: return "starttls";
        case config::ListenerTls::implicit: return "implicit";
        case config::ListenerTls::none: break;
    }
    return "none";
}

std::string text(const config::PortRange& range) {
    return range.single() ? std::to_string(range.first)
                          : fmt::format("{}-{}", range.first, range.last);
}

}  // namespace

std::string_view state_of(const AccountKeeper::View& view) {
    if (view.account.removed) return "removed";
    if (!view.fault.empty()) return "faulty";
    if (view.disabled) return "disabled";
    return view.account.active ? "active" : "inactive";
}

json::object to_json(const AccountKeeper::View& view, const AccountUse& use) {
    const config::Account& account = view.account;
    // One that has been taken out of the file has no place in it any more.
    const bool file = !view.created;
    json::object object{{"name", account.name},
                        {"origin", file ? "file" : "added"},
                        {"state", state_of(view)},
                        {"fault", view.fault},
                        {"note", account.note},
                        {"priority", account.priority},
                        {"priority_cap", account.priority_cap},
                        {"authorized_domains", texts(account.authorized_domains)},
                        {"authorized_senders", texts(account.authorized_senders)},
                        {"allowed_networks", texts(account.allowed_networks)},
                        {"max_message_size", number(account.max_message_size)},
                        {"max_recipients", number(account.max_recipients)},
                        {"submit_rate", rates(account.submit_rate)},
                        {"rate", rates(account.limits.rates)},
                        {"smooth", account.limits.smooth},
                        {"quota", quota(account)},
                        {"weight", account.weight},
                        {"route", account.route},
                        {"provider_headers", account.provider_headers},
                        {"created", to_json(view.created)},
                        {"changed", to_json(view.changed)},
                        {"disabled", to_json(view.disabled)},
                        {"locked_until", to_json(use.locked_until)},
                        {"limits", to_json(use.limits)},
                        {"queued", use.queued}};
    object["place"] = !view.place.empty() ? json::value(view.place) : json::value(nullptr);
    object["deliver"] =
        account.deliver ? json::value(account.deliver->text()) : json::value(nullptr);
    return object;
}

json::object credentials(std::string_view name, const base::Secret& password,
                         const config::Config& config) {
    json::array listeners;
    for (const config::Listener& listener : config.listen) {
        if (listener.trusted_account) continue;
        std::string ports;
        for (const config::PortRange& range : listener.ports)
            ports += (ports.empty() ? "" : ", ") + text(range);
        listeners.push_back({{"ports", ports}, {"tls", name_of(listener.tls)}});
    }
    json::array senders;
    if (const auto found = config.accounts.find(std::string(name));
        found != config.accounts.end()) {
        for (const auto* list :
             {&found->second.authorized_domains, &found->second.authorized_senders})
            for (const std::string& each : *list) senders.emplace_back(each);
    }
    return {{"name", name},
            {"senders", std::move(senders)},
            {"password", password.reveal()},
            {"server", config.hostname},
            {"listeners", std::move(listeners)}};
}

}  // namespace outpost::control
