// SPDX-License-Identifier: Apache-2.0
#include "ssh/greeting.hpp"

#include "base/text.hpp"
#include "ssh/ssh_error.hpp"

namespace qconn::ssh {

namespace {

class Greeting final : public Dialogue {
public:
    Step begin(std::string& out) override {
        out += "SSH-2.0-qconn\r\n";
        return {};
    }

    /// Other lines may come before it.
    Step feed(std::string_view input, bool closed, std::string&) override {
        Step step;
        for (;;) {
            const std::size_t end = input.find('\n', step.used);
            if (end == npos) break;
            std::string_view line = input.substr(step.used, end - step.used);
            if (line.ends_with('\r')) line.remove_suffix(1);
            step.used = end + 1;
            before_ += line.size() + 1;
            if (line.starts_with("SSH-2.0-") || line.starts_with("SSH-1.99-")) {
                banner_ = text::printable(text::shorten(line, 255));
                step.want = Want::done;
                return step;
            }
            if (line.starts_with("SSH-"))
                return failed(step, "it speaks another version: " + text::printable(text::shorten(line, 80)), Reason::unsupported);
        }
        constexpr std::size_t k_most = 16 * 1024;
        if (before_ + input.size() - step.used > k_most) return failed(step, "what it says is no greeting of an SSH server", Reason::bad_answer);
        if (closed) return failed(step, "it closed the connection before it had greeted", Reason::closed);
        return step;
    }

    std::string evidence() const override { return banner_; }
    std::string_view awaited() const noexcept override { return "the greeting of the SSH server"; }

private:
    static Step failed(Step step, const std::string& why, Reason reason) {
        step.want = Want::failed;
        step.error = ssh_error(SshErrc::handshake, "the SSH server could not be greeted: " + why, Phase::protocol, reason).with_retryable(true);
        return step;
    }
    std::string banner_;
    std::size_t before_{0};
};

}  // namespace

std::unique_ptr<Dialogue> make_greeting() { return std::make_unique<Greeting>(); }

}  // namespace qconn::ssh
