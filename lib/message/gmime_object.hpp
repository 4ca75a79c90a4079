#pragma once

#include <gmime/gmime.h>

#include <memory>

/// GMime's objects as C++ owns them. For this folder's own use.
namespace outpost::message {

struct Unref {
    void operator()(gpointer object) const noexcept { g_object_unref(object); }
};
template <class Object>
using Owned = std::unique_ptr<Object, Unref>;

struct GFree {
    void operator()(gpointer memory) const noexcept { g_free(memory); }
};
using OwnedText = std::unique_ptr<char, GFree>;

/// Must have been called before anything of GMime is used; any thread, any number of times.
void initialize_gmime();

}  // namespace outpost::message
