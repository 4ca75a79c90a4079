#include "net/io_threads.hpp"

#include <pthread.h>

#include <exception>

#include "base/log.hpp"

namespace outpost::net {

namespace {

void run(boost::asio::io_context& context) {
    for (;;) {
        try {
            context.run();
            return;
        } catch (const std::exception& e) {
            // Coroutine roots catch their own; this is a plain handler's bug. Serve the others.
            base::log::error("internal error", {{"in", "network thread"}, {"what", e.what()}});
        }
    }
}

}  // namespace

IoThreads::IoThreads(std::size_t count, const std::string& name) {
    for (std::size_t i = 0; i < count; ++i) {
        auto& slot = *slots_.emplace_back(std::make_unique<Slot>());
        slot.thread = std::thread([&slot] { run(slot.context); });
        pthread_setname_np(slot.thread.native_handle(), (name + std::to_string(i)).c_str());
    }
}

IoThreads::~IoThreads() {
    stop();
}

void IoThreads::stop() {
    for (auto& slot : slots_) slot->context.stop();
    for (auto& slot : slots_)
        if (slot->thread.joinable()) slot->thread.join();
}

}  // namespace outpost::net
