// SPDX-License-Identifier: Apache-2.0
// What a proxy says: never a crash, an end in the end, and the same outcome however it is cut into pieces. The first byte chooses the kind of proxy.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"
#include "net/http_auth.hpp"
#include "support/proxy_talk.hpp"

using namespace qconn;

namespace {

struct Outcome {
    Dialogue::Want want;
    Reason reason;
    std::string rest;
    bool again;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome converse(const Proxy& proxy, std::string_view answer, std::size_t piece) {
    const auto dialogue = net::make_proxy_dialogue(proxy, {"target.example", 443, net::Address::literal("192.0.2.1")});
    const auto talk = test::talk(*dialogue, answer, piece);
    QCONN_REQUIRE(talk.step.want == Dialogue::Want::done || talk.step.want == Dialogue::Want::failed);
    QCONN_REQUIRE(talk.step.error.has_value() == (talk.step.want == Dialogue::Want::failed));
    if (talk.step.error) QCONN_REQUIRE(std::string_view{talk.step.error->what()}.find("canary-7") == std::string_view::npos);
    const bool done = talk.step.want == Dialogue::Want::done;
    return {talk.step.want, done ? Reason::none : talk.step.error->reason(), done ? talk.rest : std::string{}, dialogue->wants_new_connection()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    if (std::string_view{reinterpret_cast<const char*>(data), size}.find("canary-7") != std::string_view::npos) return 0;  // the peer says it itself
    Proxy proxy;
    proxy.host = "p";
    proxy.kind = static_cast<Proxy::Kind>(data[0] % 6);
    proxy.auth = static_cast<Proxy::Auth>(data[0] / 6 % 3);
    const bool is_socks4 = proxy.kind == Proxy::Kind::socks4 || proxy.kind == Proxy::Kind::socks4a;
    if (data[0] / 18 % 2 == 1 && !is_socks4) {
        proxy.username = "joe";
        proxy.password = Secret{"canary-7"};
    }
    const std::string_view answer{reinterpret_cast<const char*>(data) + 1, size - 1};
    const Outcome whole = converse(proxy, answer, size + 1);
    QCONN_REQUIRE(converse(proxy, answer, 1) == whole);
    QCONN_REQUIRE(converse(proxy, answer, 7) == whole);
    if (const auto digest = net::best_digest(net::parse_challenges(answer)))
        net::digest_credentials(*digest, "joe", "canary-7", {"CONNECT", "h:1", "c", 1});
    return 0;
}
