// SPDX-License-Identifier: Apache-2.0
/// What is answered to the prompts of a log-in, without I/O and clocks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>

#include "telnet/prompts.hpp"

namespace qconn::telnet {

class Login {
public:
    enum class Want : std::uint8_t {
        more,      ///< nothing to answer so far
        user,      ///< send the user name
        password,  ///< send the password
        wake,      ///< send a line end
        prompt,    ///< that looks like the prompt of a shell; where nothing more comes, the log-in has ended
        failed,    ///< reason(), problem()
    };

    /// @param prompts  lives as long
    Login(const Prompts& prompts, bool has_user, bool has_password) noexcept : prompts_{&prompts}, has_user_{has_user}, has_password_{has_password} {}

    /// @param text  all that has come since the last answer
    Want look(std::string_view text);
    /// What is waited for.
    std::string_view awaited() const noexcept;
    /// Whether something was answered that the server may refuse.
    bool has_answered() const noexcept { return sent_user_ || sent_password_; }
    bool has_sent_password() const noexcept { return sent_password_; }
    Reason reason() const noexcept { return reason_; }
    const std::string& problem() const noexcept { return problem_; }

private:
    Want fail(Reason reason, std::string problem);

    const Prompts* prompts_;
    bool has_user_;
    bool has_password_;
    bool sent_user_{false};
    bool sent_password_{false};
    int woken_{0};
    Reason reason_{Reason::none};
    std::string problem_;
};

}  // namespace qconn::telnet
