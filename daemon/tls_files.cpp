#include "tls_files.hpp"

#include <sys/stat.h>

#include <span>

namespace outpost {
namespace {

FileStamp stamp(const std::string& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) return {};
    return {.device = info.st_dev,
            .inode = info.st_ino,
            .size = info.st_size,
            .changed_seconds = info.st_mtim.tv_sec,
            .changed_nanoseconds = info.st_mtim.tv_nsec};
}

}  // namespace

std::expected<std::shared_ptr<net::TlsServer>, std::string> load_tls(const config::Config& config) {
    if (config.tls.certificates.empty()) return nullptr;
    std::vector<net::CertificateFiles> files;
    for (const auto& pair : config.tls.certificates) files.push_back({pair.certificate, pair.key});
    auto server = net::TlsServer::load(files, config.tls.min_version == config::TlsVersion::tls13);
    if (!server) return std::unexpected(config.file + ": tls.certificates: " + server.error());
    return std::move(*server);
}

std::optional<std::string> fault_of(const config::Certificate& pair) {
    const net::CertificateFiles files{pair.certificate, pair.key};
    const auto server = net::TlsServer::load(std::span(&files, 1), false);
    return server ? std::nullopt : std::optional(server.error());
}

std::vector<FileStamp> stamps(const config::Tls& tls) {
    std::vector<FileStamp> all;
    for (const auto& pair : tls.certificates) {
        all.push_back(stamp(pair.certificate));
        all.push_back(stamp(pair.key));
    }
    return all;
}

}  // namespace outpost
