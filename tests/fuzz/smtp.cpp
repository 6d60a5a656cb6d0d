// SPDX-License-Identifier: Apache-2.0
// A server's side of the log-in, and of what follows: whatever it says, the same in pieces of any size, and no secret gets out where that must not
// be.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/base64.hpp"
#include "fuzz/require.hpp"
#include "mail/smtp_dialogue.hpp"
#include "mail/smtp_reply.hpp"

namespace {

using namespace qconn;
using namespace qconn::mail;

/// All that is said, and how it ends.
struct Talked {
    std::string said;
    std::string end;
    friend bool operator==(const Talked&, const Talked&) = default;
};
Talked talk(const std::shared_ptr<const SmtpLoginPlan>& plan, std::string_view input, std::size_t piece) {
    SmtpLogin dialogue{plan};
    std::string said, pending;
    auto step = dialogue.begin(said);
    while (!input.empty() && (step.want == Dialogue::Want::read || step.want == Dialogue::Want::start_tls)) {
        if (step.want == Dialogue::Want::start_tls) {
            said += "<tls>";
            pending.clear();
            // In one piece more would be thrown away here than in small ones: what follows the line is the peer's again.
            step = dialogue.begin(said);
            continue;
        }
        const std::size_t n = std::min(piece, input.find('\n') == std::string_view::npos ? input.size() : input.find('\n') + 1);
        pending += input.substr(0, n);
        input.remove_prefix(n);
        step = dialogue.feed(pending, false, said);
        QCONN_REQUIRE(step.used <= pending.size());
        pending.erase(0, step.used);
    }
    std::string end;
    if (step.error) {
        end = step.error->what();
        QCONN_REQUIRE(end.find("s3cret-word") == std::string::npos);
    }
    for (const std::string& name : dialogue.info().auth) end += name + " ";
    return {said, end};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    auto plan = std::make_shared<SmtpLoginPlan>();
    plan->job = {"out", "mail.example:25", "connecting", {}};
    plan->ehlo_name = "me.example";
    plan->username = "edi";
    plan->password = Secret{std::string_view{"s3cret-word"}};
    // The first byte says how the connection is defined.
    constexpr SmtpTls k_ways[] = {SmtpTls::offered, SmtpTls::required, SmtpTls::implicit, SmtpTls::none};
    plan->security = k_ways[data[0] & 3U];
    plan->cleartext_password = (data[0] & 4U) != 0;
    if ((data[0] & 8U) != 0) plan->token = Secret{std::string_view{"s3cret-word"}};
    plan->depth = (data[0] & 16U) != 0 ? SmtpDepth::full : SmtpDepth::session;
    const std::string_view input{reinterpret_cast<const char*>(data) + 1, size - 1};
    const Talked whole = talk(plan, input, input.size());
    QCONN_REQUIRE(whole == talk(plan, input, 1) && whole == talk(plan, input, 7));
    const std::string clear = whole.said.substr(0, whole.said.find("<tls>"));
    const bool needs_none = plan->security == SmtpTls::implicit;
    QCONN_REQUIRE(needs_none || plan->security != SmtpTls::required || clear.find("AUTH ") == std::string::npos);
    const std::string plain = base64::encode(std::string_view{"\0edi\0s3cret-word", 16});
    QCONN_REQUIRE(needs_none || plan->cleartext_password || clear.find(plain) == std::string::npos);
    QCONN_REQUIRE(needs_none || clear.find("AUTH XOAUTH2") == std::string::npos);
    return 0;
}
