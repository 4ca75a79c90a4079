#pragma once

namespace outpost::account {

/// Prepares libsasl2 once for the process: its locks, client and server side, our source of stored
/// passwords, and of all modules installed only those of the mechanisms that we use; no
/// configuration file. Call before other threads use SASL. Throws base::StartFailure.
void prepare_sasl();

}  // namespace outpost::account
