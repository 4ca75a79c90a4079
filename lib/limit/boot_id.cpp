#include "limit/boot_id.hpp"

#include <fstream>

namespace outpost::limit {

std::string read_boot_id(const std::filesystem::path& file) {
    std::string id;
    std::ifstream(file) >> id;
    return id;
}

}  // namespace outpost::limit
