// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"
#include "resp.hpp"

using qconn::Error;

namespace redis {

namespace {

/// All commands at once, then their replies in order.
class PingDialogue : public qconn::Dialogue {
public:
    PingDialogue(const RedisOptions& options, bool with_version) : options_{options}, with_version_{with_version} {}

    Step begin(std::string& out) override {
        logins_ = put_login(out, options_);
        put_command(out, {"PING"});
        if (with_version_) put_command(out, {"INFO", "server"});
        return {};
    }

    Step feed(std::string_view input, bool closed, std::string&) override {
        std::size_t used = 0;
        try {
            while (const auto taken = take_reply(input.substr(used))) {
                used += taken->used;
                if (taken->reply.kind == Reply::Kind::error) throw failure(taken->reply, logins_ > 0 ? "logging in" : "the ping");
                if (logins_ > 0)
                    --logins_;
                else if (!with_version_)
                    return {Want::done, used, std::nullopt};
                else if (answered_++ == 1) {
                    read_version(taken->reply.text);
                    return {Want::done, used, std::nullopt};
                }
            }
            if (closed) throw failure(phase(), qconn::Reason::closed, "the server closed the connection before it had answered");
        } catch (const Error& error) { return {Want::failed, used, error}; }
        return {Want::read, used, std::nullopt};
    }

    bool keeps_stream() const noexcept override { return true; }
    std::string evidence() const override { return version_.empty() ? "PONG" : "Redis " + version_; }
    std::string_view awaited() const noexcept override { return logins_ > 0 ? "the answer to AUTH" : "the answer to PING"; }
    qconn::Phase phase() const noexcept override { return logins_ > 0 ? qconn::Phase::auth : qconn::Phase::protocol; }

private:
    void read_version(const std::string& info) {
        constexpr std::string_view k_key = "redis_version:";
        if (const auto at = info.find(k_key); at != std::string::npos) {
            const auto from = at + k_key.size();
            version_ = info.substr(from, info.find('\r', from) - from);
        }
    }

    const RedisOptions options_;
    const bool with_version_;
    int logins_{0};
    int answered_{0};
    std::string version_;
};

}  // namespace

std::unique_ptr<qconn::Dialogue> make_ping(const RedisOptions& options, bool with_version) {
    return std::make_unique<PingDialogue>(options, with_version);
}

}  // namespace redis
