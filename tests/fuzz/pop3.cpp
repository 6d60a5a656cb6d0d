// SPDX-License-Identifier: Apache-2.0
// What POP3 servers send. First byte: in how many pieces it comes, and which plan of a log-in hears it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "fuzz/require.hpp"
#include "mail/pop3_dialogue.hpp"
#include "mail/pop3_reply.hpp"
#include "net/dialogue_log.hpp"

using namespace qconn;
using namespace qconn::mail::pop3;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
    const std::size_t step = data[0] % 16U + 1U;

    // In pieces or whole, a text is the same.
    std::string whole;
    const bool strict = (data[0] & 0x80U) != 0;
    DotReader once{strict};
    const std::size_t used = once.feed(text, [&](std::string_view piece) { whole += piece; });
    std::string parted;
    DotReader often{strict};
    std::string input;
    std::size_t taken = 0;
    for (std::size_t at = 0; at < text.size() && !often.is_done(); at += step) {
        input += text.substr(at, step);
        const std::size_t n = often.feed(input, [&](std::string_view piece) { parted += piece; });
        taken += n;
        input.erase(0, n);
    }
    QCONN_REQUIRE(once.is_done() == often.is_done());
    QCONN_REQUIRE(whole == parted && used == taken);

    auto plan = std::make_shared<LoginPlan>();
    plan->job = {"in", "mail.example:110", "connecting", {}};
    plan->username = "edi";
    plan->password = Secret{std::string{"s3cret-word"}};
    plan->security = (data[0] & 0x10U) != 0 ? Pop3Tls::required : Pop3Tls::none;
    if ((data[0] & 0x20U) != 0) {
        plan->token = Secret{std::string{"t0ken-word"}};
        plan->password = {};
    }
    plan->depth = (data[0] & 0x40U) != 0 ? LoginDepth::request : LoginDepth::session;
    std::string shown;
    const auto log = std::make_shared<net::DialogueLog>(
        net::DialogueLog::Options{"pop3", "in", false, false, [&shown](const DialogueLine& line) { shown.append(line.text).append("\n"); }}, Log{});
    log->add_secret(plan->password);
    log->add_secret(plan->token);
    LoginDialogue dialogue{plan, net::SessionLog{log}};
    std::string said;
    dialogue.begin(said);
    input.clear();
    for (std::size_t at = 0; at < text.size(); at += step) {
        input += text.substr(at, step);
        const auto next = dialogue.feed(input, false, said);
        QCONN_REQUIRE(next.used <= input.size());
        input.erase(0, next.used);
        QCONN_REQUIRE((next.want == Dialogue::Want::failed) == next.error.has_value());
        if (next.error) QCONN_REQUIRE(std::string_view{next.error->what()}.find("s3cret-word") == std::string_view::npos);
        if (next.want == Dialogue::Want::start_tls) dialogue.begin(said);
        if (next.want == Dialogue::Want::failed || next.want == Dialogue::Want::done) break;
    }
    QCONN_REQUIRE(shown.find("s3cret-word") == std::string::npos && shown.find("t0ken-word") == std::string::npos);

    (void)stat_of(text);
    auto entries = sizes_of(text);
    join_uids(entries, uids_of(text));
    for (const Pop3Entry& one : entries) QCONN_REQUIRE(one.number > 0);
    (void)capabilities_of(text);
    (void)timestamp_of(text);
    (void)response_code_of(text);
    return 0;
}
