// SPDX-License-Identifier: Apache-2.0
/// A set of changes to a store that becomes visible at once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/store.hpp"

namespace qconn::core {

struct Store::Change {
    std::shared_ptr<Slot> slot;
    Version* next{nullptr};
    bool published{false};
};

/// Make it before the lock is taken: its end, after the lock's, destroys the clients that have gone out of use.
struct Store::Commit {
    Commit() = default;
    Commit(const Commit&) = delete;
    Commit& operator=(const Commit&) = delete;
    ~Commit();

    void event(RegistryChange::Kind kind, std::string name, bool reconnects = false, std::string problem = {});
    /// The slot keeps its name and build, nothing else.
    void remove(const std::shared_ptr<Slot>& slot);

    std::vector<Change> changes;
    std::vector<RegistryChange> events;
    std::vector<ClientCell*> retired;
    /// By their next_orphan.
    ClientCell* orphans{nullptr};
};

}  // namespace qconn::core
