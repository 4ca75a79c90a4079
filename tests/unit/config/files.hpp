#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "config/loader.hpp"

namespace outpost::config {

constexpr const char* valid_hash =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

/// A directory of its own for each test, with a certificate and a key that can be read.
class ConfigFiles : public testing::Test {
  protected:
    ConfigFiles() {
        std::string pattern = testing::TempDir() + "outpost-config-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
        write("cert.pem", "certificate");
        write("key.pem", "key");
    }
    ~ConfigFiles() override { std::filesystem::remove_all(directory_); }

    std::string write(const std::string& name, const std::string& text) {
        const std::filesystem::path path = std::filesystem::path(directory_) / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
        ::chmod(path.c_str(), 0600);
        return path.string();
    }
    [[nodiscard]] std::string path(const std::string& name) const {
        return directory_ + "/" + name;
    }

    std::expected<Config, std::vector<Diagnostic>> load_text(const std::string& text) {
        return load(write("outpost.yaml", text));
    }
    /// The diagnostics, one a line, without the directory.
    std::string errors(const std::string& text) {
        const auto config = load_text(text);
        if (config) return "";
        std::string lines;
        for (const Diagnostic& diagnostic : config.error()) {
            std::string line = diagnostic.text();
            for (std::size_t at; (at = line.find(directory_ + "/")) != std::string::npos;) {
                line.erase(at, directory_.size() + 1);
            }
            lines += line + "\n";
        }
        return lines;
    }

    /// The least that loads; tests put lines after it.
    static std::string least() {
        return "hostname: relay.example.com\n"
               "listen: [{address: \"::\", ports: [587], tls: starttls}]\n"
               "tls: {certificates: [{certificate: cert.pem, key: key.pem}]}\n"
               "upstreams: {out: {type: sandbox, directory: box}}\n"
               "accounts: {web: {password: secret}}\n";
    }

    std::string directory_;
};

}  // namespace outpost::config
