// outpostd: reads the configuration and runs the daemon. See outpostd(8).

#include <malloc.h>
#include <signal.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "config/loader.hpp"
#include "control/account_merge.hpp"
#include "daemon.hpp"
#include "net/listener.hpp"
#include "store/account_store.hpp"
#include "tls_files.hpp"
#include "version.hpp"

namespace outpost {
namespace {

/// A fixed threshold: left alone, malloc raises it with the first large block that is freed, and
/// from then on keeps what growing tables have outgrown.
void keep_memory_small() {
    constexpr int threshold = 128 << 10;
    mallopt(M_MMAP_THRESHOLD, threshold);
    mallopt(M_TRIM_THRESHOLD, threshold);
}

int serve(const config::Config& file) {
    keep_memory_small();
    base::log::configure(file.log.level, file.log.format);
    signal(SIGPIPE, SIG_IGN);
    // Who started us may have it ignored, and then how a child ended could not be asked.
    signal(SIGCHLD, SIG_DFL);
    net::raise_file_limit();
    return Daemon(file).run();
}

/// Those that were made at run time, as far as they can be read.
int check_accounts(const config::Config& config) {
    const auto stored = store::read_accounts(std::filesystem::path(config.data_dir) / "outpost.db");
    if (!stored) {
        std::cerr << "outpostd: " << stored.error()
                  << "; only what is in the configuration was checked\n";
        return EX_OK;
    }
    const auto merged = control::merge_accounts(config, *stored);
    for (const auto& conflict : merged.conflicts) std::cerr << conflict << '\n';
    for (const auto& [name, why] : merged.faults)
        std::cerr << "account " << base::printable(name, 64) << " (made at run time): " << why
                  << '\n';
    return merged.conflicts.empty() && merged.faults.empty() ? EX_OK : EX_CONFIG;
}

int run(int argc, char** argv) {
    CLI::App app{"A relay for mail that applications submit. See outpostd(8)."};
    app.set_version_flag("--version", std::string("outpostd ") + version);
    std::string file = "/etc/outpost/outpost.yaml";
    bool check_only = false;
    app.add_option("--config", file, "The configuration, see outpost.yaml(5)")
        ->capture_default_str();
    app.add_flag("--check", check_only, "Report every fault of the configuration and exit");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? EX_OK : EX_USAGE;
    }

    const auto config = config::load(file, fault_of);
    if (!config) {
        for (const auto& diagnostic : config.error()) std::cerr << diagnostic.text() << '\n';
        return EX_CONFIG;
    }
    if (!check_only) return serve(*config);
    if (const int result = check_accounts(*config); result != EX_OK) return result;
    std::cout << file << ": ok\n";
    return EX_OK;
}

}  // namespace
}  // namespace outpost

int main(int argc, char** argv) {
    try {
        return outpost::run(argc, argv);
    } catch (const outpost::base::StartFailure& e) {
        std::cerr << "outpostd: " << e.what() << '\n';
        return e.exit_code;
    } catch (const std::exception& e) {
        std::cerr << "outpostd: " << e.what() << '\n';
        return EX_SOFTWARE;
    }
}
