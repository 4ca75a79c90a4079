#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "config/loader.hpp"
#include "config/section.hpp"
#include "config/types.hpp"

/// Readers of the parts of a configuration. Each reports what is wrong and leaves defaults there.
/// Those further down use what those above have read.
namespace outpost::config {

/// hostname, data_dir, log, history.
void read_server(Section& root, Config& config);
/// control.
void read_control(Section& root, Config& config);
/// tls: files must be readable.
void read_tls(Section& root, Config& config, const CertificateCheck& check);
/// submission.
void read_submission(Section& root, Config& config);
/// spool, retry.
void read_queueing(Section& root, Config& config);
/// upstreams.
void read_upstreams(Section& root, Config& config);
/// groups.
void read_groups(Section& root, Config& config);
/// routes; every message must find one.
void read_routes(Section& root, Config& config);
/// dsn.
void read_dsn(Section& root, Config& config);
/// limits.
void read_limit_store(Section& root, Config& config);
/// accounts; there may be none, as they can be made at run time.
void read_accounts(Section& root, Config& config);
/// An account that was made at run time, without its credentials. The configuration is complete.
[[nodiscard]] Account read_added_account(Section& section, const Config& config, std::string name);
/// listen.
void read_listeners(Section& root, Config& config);

/// The types of upstream that are an email provider's API, by name.
[[nodiscard]] std::span<const std::string_view> api_types();
/// What belongs to such a type: its account, and how its server is reached.
[[nodiscard]] ApiUpstream read_api_upstream(Section& section, std::string_view type);
/// from, reply_to, return_path, verp of an upstream.
[[nodiscard]] Overrides read_overrides(Section& section);
/// oauth2 of an SMTP upstream; nothing if it is not there.
[[nodiscard]] std::optional<OAuth2> read_oauth2(Section& upstream);

/// The entry of `key` as a section; empty if it is not there.
[[nodiscard]] Section subsection(Section& parent, std::string_view key);
/// The name of an upstream of the configuration.
[[nodiscard]] Read<std::string> as_upstream(const YamlNode& node, const Config& config);
/// The name of an upstream or group of the configuration.
[[nodiscard]] Read<std::string> as_via(const YamlNode& node, const Config& config);
/// `Name <local@domain>`, or the address alone.
[[nodiscard]] Read<std::string> as_mailbox(const YamlNode& node);
/// A path, made absolute or relative to the working directory.
[[nodiscard]] Read<std::string> as_path(const YamlNode& node);

}  // namespace outpost::config
