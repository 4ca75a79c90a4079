#include "spool/large_body.hpp"

#include "spool/large_store.hpp"

namespace outpost::spool {

LargeBody::LargeBody(std::shared_ptr<LargeFile> file) noexcept : file_(std::move(file)) {}
LargeBody::~LargeBody() = default;

std::uint64_t LargeBody::size() const noexcept {
    return file_->size;
}

LargeBodyWriter::LargeBodyWriter(std::shared_ptr<LargeFile> file) noexcept
    : file_(std::move(file)) {}
LargeBodyWriter::~LargeBodyWriter() = default;

boost::asio::awaitable<std::expected<void, StoreFailure>> LargeBodyWriter::write(
    std::string piece) {
    co_return co_await file_->store->write(file_, std::move(piece));
}

std::uint64_t LargeBodyWriter::size() const noexcept {
    return file_->size;
}

LargeBody LargeBodyWriter::finish() && {
    return LargeBody(std::move(file_));
}

}  // namespace outpost::spool
