// SPDX-License-Identifier: Apache-2.0
/// Runs each corpus, and beginnings of each of its small files, through its fuzz target: what was found once stays found.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "support/catch.hpp"

namespace {

using Target = int (*)(const std::uint8_t* data, std::size_t size);

void run(Target target, const std::string& corpus) {
    constexpr std::size_t k_small = 2048;
    constexpr std::size_t k_beginnings = 300;
    std::size_t files = 0;
    target(nullptr, 0);
    for (const auto& entry : std::filesystem::directory_iterator{QCONN_CORPORA "/" + corpus}) {
        std::ifstream in{entry.path(), std::ios::binary};
        const std::string content{std::istreambuf_iterator<char>{in}, {}};
        const auto* data = reinterpret_cast<const std::uint8_t*>(content.data());
        INFO(entry.path().filename().string());
        CHECK(target(data, content.size()) == 0);
        for (std::size_t n = 0; content.size() <= k_small && n < content.size(); n += 1 + content.size() / k_beginnings) {
            const std::string beginning = content.substr(0, n);  // a block of its own, so that AddressSanitizer sees a step too far
            CHECK(target(reinterpret_cast<const std::uint8_t*>(beginning.data()), n) == 0);
        }
        ++files;
    }
    CHECK(files > 0);
}

}  // namespace

// corpora.inc has QCONN_CORPUS(name) of each.
#define QCONN_CORPUS(name) extern "C" int qconn_fuzz_##name(const std::uint8_t* data, std::size_t size);
#include "corpora.inc"
#undef QCONN_CORPUS
#define QCONN_CORPUS(name) \
    TEST_CASE(#name ": the corpus passes", "[corpus]") { run(qconn_fuzz_##name, #name); }
#include "corpora.inc"
