// SPDX-License-Identifier: Apache-2.0
#include "http/coding.hpp"

#include <stdexcept>

#include "support/catch.hpp"

using namespace qconn::http;

namespace {

const std::vector<std::string> k_all{"gzip", "deflate", "br", "zstd", "bzip2"};

std::string sample(std::size_t size) {
    std::string out;
    unsigned state = 12345;
    while (out.size() < size) {
        state = state * 1103515245U + 12345U;
        out += static_cast<char>('a' + (state >> 16U) % 23);
        if (state % 7 == 0) out += " again and again ";
    }
    out.resize(size);
    return out;
}

struct Decoded {
    CodingStatus status{CodingStatus::ok};
    std::string text;
};

Decoded decode(const std::vector<std::string>& codings, std::string_view input, std::size_t piece, CodingLimits limits = {}) {
    Decoder decoder{codings, limits};
    Decoded out;
    for (std::size_t at = 0; at < input.size() && out.status == CodingStatus::ok; at += piece) {
        out.status = decoder.feed(input.substr(at, piece), out.text);
    }
    if (out.status == CodingStatus::ok) out.status = decoder.finish();
    return out;
}

}  // namespace

TEST_CASE("what was encoded is decoded, whole and byte by byte", "[http][coding]") {
    for (const std::string& coding : k_all) {
        for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, std::size_t{200'000}}) {
            INFO(coding << " " << size);
            const std::string body = sample(size);
            const std::string coded = encode(coding, body);

            CHECK(decode({coding}, coded, coded.size() + 1).text == body);
            if (size <= 1000) {
                const Decoded slow = decode({coding}, coded, 1);
                CHECK(slow.status == CodingStatus::ok);
                CHECK(slow.text == body);
            }
        }
    }
}

TEST_CASE("coded data that end early are broken at every length", "[http][coding]") {
    for (const std::string& coding : k_all) {
        const std::string coded = encode(coding, sample(300));
        for (std::size_t length = 1; length < coded.size(); ++length) {
            INFO(coding << " " << length);
            CHECK(decode({coding}, std::string_view{coded}.substr(0, length), 7).status == CodingStatus::broken);
        }
    }
}

TEST_CASE("no input at all is an empty body", "[http][coding]") {
    for (const std::string& coding : k_all) CHECK(decode({coding}, "", 1).status == CodingStatus::ok);
}

TEST_CASE("damaged data are broken", "[http][coding]") {
    for (const std::string& coding : k_all) {
        INFO(coding);
        CHECK(decode({coding}, "this is certainly not compressed data at all", 100).status == CodingStatus::broken);
    }
}

TEST_CASE("something after the end is broken", "[http][coding]") {
    for (const std::string& coding : k_all) {
        INFO(coding);
        CHECK(decode({coding}, encode(coding, "text") + "trailing rubbish", 1000).status == CodingStatus::broken);
    }
}

TEST_CASE("members that follow each other are one body", "[http][coding]") {
    for (const std::string coding : {"gzip", "zstd", "bzip2"}) {
        INFO(coding);
        const Decoded decoded = decode({coding}, encode(coding, "one ") + encode(coding, "two"), 3);
        CHECK(decoded.status == CodingStatus::ok);
        CHECK(decoded.text == "one two");
    }
}

TEST_CASE("deflate without the zlib head is read as well", "[http][coding]") {
    const std::string body = sample(5000);
    const std::string zlib = encode("deflate", body);
    const std::string bare = zlib.substr(2, zlib.size() - 6);

    CHECK(decode({"deflate"}, bare, 1).text == body);
    CHECK(decode({"deflate"}, bare, bare.size()).text == body);
}

TEST_CASE("a body that grows too much is stopped", "[http][coding]") {
    const std::string zeros(std::size_t{8} * 1024 * 1024, '\0');
    for (const std::string& coding : k_all) {
        INFO(coding);
        const std::string coded = encode(coding, zeros);
        const Decoded bomb = decode({coding}, coded, 100, {std::size_t{1} << 30, 200, 1024 * 1024});
        CHECK(bomb.status == CodingStatus::expansion);
        CHECK(bomb.text.size() <= 1024 * 1024 + 200 * 200);

        CHECK(decode({coding}, coded, coded.size(), {1000, 1'000'000'000, 1000}).status == CodingStatus::too_large);
        CHECK(decode({coding}, coded, coded.size(), {zeros.size(), 1'000'000'000, 1000}).status == CodingStatus::ok);
    }
}

TEST_CASE("codings on top of each other do not multiply what is allowed", "[http][coding]") {
    const std::string zeros(std::size_t{32} * 1024 * 1024, '\0');
    const std::string coded = encode("gzip", encode("gzip", zeros));

    CHECK(decode({"gzip", "gzip"}, coded, 64).status == CodingStatus::expansion);
}

TEST_CASE("what lies between two codings counts as well", "[http][coding]") {
    // Empty members: the inner coding makes nothing at all of what the outer one blows up.
    for (const std::string& inner : {std::string{"gzip"}, std::string{"zstd"}}) {
        INFO(inner);
        const std::string empty = encode(inner, "");
        std::string members;
        while (members.size() < std::size_t{16} * 1024 * 1024) members += empty;
        const std::string coded = encode("zstd", members);
        REQUIRE(coded.size() * 1000 < members.size());

        CHECK(decode({inner, "zstd"}, coded, coded.size()).status == CodingStatus::expansion);
        CHECK(decode({inner, "zstd"}, coded, coded.size(), {1000, 1'000'000'000, 1000}).status == CodingStatus::too_large);
    }
}

TEST_CASE("more than two codings on each other are refused", "[http][coding]") {
    CHECK_NOTHROW(Decoder({"gzip", "zstd"}, {}));
    CHECK_THROWS_AS(Decoder({"gzip", "zstd", "zstd"}, {}), std::invalid_argument);
}

TEST_CASE("codings are undone in the opposite order", "[http][coding]") {
    const std::string body = sample(3000);
    CHECK(decode({"gzip", "br"}, encode("br", encode("gzip", body)), 11).text == body);
}

TEST_CASE("Content-Encoding is split and normalised", "[http][coding]") {
    CHECK(parse_codings("GZIP") == std::vector<std::string>{"gzip"});
    CHECK(parse_codings(" x-gzip , identity,,br ") == std::vector<std::string>{"gzip", "br"});
    CHECK(parse_codings("x-bzip2") == std::vector<std::string>{"bzip2"});
    CHECK(parse_codings("").empty());
    CHECK_FALSE(is_known_coding("compress"));
    CHECK_THROWS_AS(encode("compress", ""), std::invalid_argument);
}
