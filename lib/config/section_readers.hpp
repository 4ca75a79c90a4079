#pragma once

#include "config/section.hpp"
#include "config/types.hpp"

/// Readers of the parts of a configuration. Each reports what is wrong and leaves defaults there.
/// Those further down use what those above have read.
namespace outpost::config {

/// hostname, data_dir, log.
void read_server(Section& root, Config& config);
/// control.
void read_control(Section& root, Config& config);
/// tls: files must be readable.
void read_tls(Section& root, Config& config);
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
/// accounts.
void read_accounts(Section& root, Config& config);
/// listen.
void read_listeners(Section& root, Config& config);

/// The entry of `key` as a section; empty if it is not there.
[[nodiscard]] Section subsection(Section& parent, std::string_view key);
/// The name of an upstream of the configuration.
[[nodiscard]] Read<std::string> as_upstream(const YamlNode& node, const Config& config);
/// The name of an upstream or group of the configuration.
[[nodiscard]] Read<std::string> as_via(const YamlNode& node, const Config& config);
/// A path, made absolute or relative to the working directory.
[[nodiscard]] Read<std::string> as_path(const YamlNode& node);

}  // namespace outpost::config
