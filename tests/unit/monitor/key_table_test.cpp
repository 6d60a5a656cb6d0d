// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "monitor/key_table.hpp"
#include "support/catch.hpp"

using qconn::monitor::KeyTable;

TEST_CASE("a table of keys finds what a map finds, with keys that collide", "[schedule]") {
    std::mt19937_64 random{3};
    std::vector<std::uint64_t> keys;  // by index
    const auto key_of = [&](std::uint32_t index) { return keys[index]; };
    KeyTable table;
    CHECK(table.find(1, key_of) == KeyTable::k_none);
    table.erase(1, key_of);
    std::map<std::uint64_t, std::uint32_t> oracle;
    for (int i = 0; i < 20'000; ++i) {
        // Few homes, many keys: low bits are where a key is looked for first.
        const std::uint64_t key = (random() % 8) | (random() % 64) << 32U;
        const auto known = oracle.find(key);
        REQUIRE(table.find(key, key_of) == (known == oracle.end() ? KeyTable::k_none : known->second));
        if (random() % 2 == 0) {
            table.erase(key, key_of);
            oracle.erase(key);
        } else if (known == oracle.end()) {
            keys.push_back(key);
            const auto index = static_cast<std::uint32_t>(keys.size() - 1);
            table.insert(index, key_of);
            oracle.emplace(key, index);
        }
        REQUIRE(table.size() == oracle.size());
    }
    for (const auto& [key, index] : oracle) CHECK(table.find(key, key_of) == index);
}
