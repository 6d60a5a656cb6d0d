// SPDX-License-Identifier: Apache-2.0
/// The log-in: what is tried in which order, and what is said where nothing helps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <qconn/base/error.hpp>

#include "ssh/settings.hpp"
#include "ssh/transport.hpp"

namespace qconn::ssh {

/// Public keys (that of the options, the agent's, those in ~/.ssh), password, keyboard-interactive: each that there is something for, and that the
/// server takes. A server that wants several gets them in that order.
/// @note One thread at a time.
class Login {
public:
    enum class Next : std::uint8_t {
        wait,   ///< advance() again when the descriptor is ready
        block,  ///< work() on the blocking pool, then advance() again
        done,   ///< method()
        failed  ///< error()
    };

    explicit Login(std::shared_ptr<const Settings> settings);

    Next advance(Transport& transport);
    void work(Transport& transport);

    /// "publickey (agent)"
    std::string method() const { return method_; }
    const Error& error() const { return *error_; }

private:
    enum class Kind : std::uint8_t { none, key, agent, password, interactive };
    struct Attempt {
        Kind kind{Kind::none};
        KeySource source{};
        bool used{false};
    };
    static const char* method_of(Kind kind);
    static std::string words_of(const Attempt& attempt);

    LoginStep try_one(Transport& transport);
    bool takes(const char* method) const;
    bool next_attempt();
    void plan(Transport& transport);
    Next fail(Error error);
    Next fail_all(const std::string& why);

    const std::shared_ptr<const Settings> settings_;
    std::vector<Attempt> attempts_;
    std::size_t at_{0};
    bool planned_{false};
    std::vector<std::string> offered_;
    std::vector<std::string> tried_;
    std::string method_;
    std::optional<Error> error_;
    // Between work() and advance():
    std::optional<LoadedKey> key_;
    std::optional<LoginStep> worked_;
    std::string agent_problem_;
};

}  // namespace qconn::ssh
