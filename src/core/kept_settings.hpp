// SPDX-License-Identifier: Apache-2.0
/// What an operator has set for connections whose file is gone: it holds again when they come back.
#pragma once

#include <cstddef>
#include <iterator>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/overrides.hpp"

namespace qconn::core {

/// One thread at a time.
class KeptSettings {
public:
    /// Names; beyond that those are forgotten that have been gone for longest.
    static constexpr std::size_t k_most = 10'000;

    struct Settings {
        /// Version::k_by_code, with the settings that it speaks of.
        unsigned flags{0};
        Overrides set;
    };

    void put(std::string name, Settings settings) {
        erase(name);
        order_.emplace_back(std::move(name), std::move(settings));
        places_.emplace(order_.back().first, std::prev(order_.end()));
        if (order_.size() > k_most) erase(order_.front().first);
    }
    const Settings* find(std::string_view name) const {
        const auto place = places_.find(name);
        return place == places_.end() ? nullptr : &place->second->second;
    }
    void erase(std::string_view name) {
        const auto place = places_.find(name);
        if (place == places_.end()) return;
        const auto entry = place->second;
        places_.erase(place);  // first: its key is a view of the entry
        order_.erase(entry);
    }

private:
    using Entries = std::list<std::pair<std::string, Settings>>;
    Entries order_;
    std::unordered_map<std::string_view, Entries::iterator> places_;
};

}  // namespace qconn::core
