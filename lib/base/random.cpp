#include "base/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <string_view>
#include <system_error>

namespace outpost::base {

std::string random_octets(std::size_t count) {
    std::string out(count, '\0');
    for (std::size_t done = 0; done < count;) {
        const ssize_t n = getrandom(out.data() + done, count - done, 0);
        if (n > 0) {
            done += static_cast<std::size_t>(n);
        } else if (errno != EINTR) {
            throw std::system_error(errno, std::generic_category(), "getrandom");
        }
    }
    return out;
}

std::string random_word() {
    static constexpr std::string_view digits = "0123456789abcdefghjkmnpqrstvwxyz";
    std::string word = random_octets(13);
    for (char& c : word) c = digits[static_cast<unsigned char>(c) % digits.size()];
    return word;
}

}  // namespace outpost::base
