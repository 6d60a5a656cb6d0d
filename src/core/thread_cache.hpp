// SPDX-License-Identifier: Apache-2.0
/// Each thread's own memory of the names that it asks a registry for again and again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace qconn::core {

class Slot;

/// Handles of slots whose reference counts belong to one thread, so that threads that get the same name do not pass a counter's cache line to and
/// fro. It keeps slots alive, never a client or a definition: a slot whose connection is removed holds neither. One thread's.
class ThreadCache {
public:
    struct Entry {
        std::uint64_t hub{0};
        std::size_t hash{0};
        /// Null after the first look-up of a name: only one that is asked for twice running gets a handle.
        std::shared_ptr<Slot> slot;
    };
    Entry& at(std::size_t hash) noexcept { return entries_[hash % entries_.size()]; }

private:
    std::array<Entry, 64> entries_{};
};

}  // namespace qconn::core
