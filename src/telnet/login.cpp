// SPDX-License-Identifier: Apache-2.0
#include "telnet/login.hpp"

#include <utility>

#include "base/text.hpp"

namespace qconn::telnet {

std::string_view Login::awaited() const noexcept {
    if (sent_password_) return "the shell's prompt after the password";
    if (sent_user_) return has_password_ ? "the password prompt" : "the shell's prompt after the user name";
    if (has_user_) return "the login prompt";
    return has_password_ ? "the password prompt" : "the shell's prompt";
}

Login::Want Login::fail(Reason reason, std::string problem) {
    reason_ = reason;
    problem_ = std::move(problem);
    return Want::failed;
}

Login::Want Login::look(std::string_view text) {
    constexpr int k_wakings = 3;
    const std::string_view line = last_line(text);
    if (has_answered() && prompts_->failure.is_in(text)) {
        return fail(Reason::denied,
                    sent_password_ ? "the server refused user name or password; check them" : "the server refused the user name; check it");
    }
    if (prompts_->password.ends(line)) {
        if (sent_password_) return fail(Reason::denied, "the server asks for the password again: it refused user name or password; check them");
        if (!has_password_) return fail(Reason::missing, "the server asks for a password, and there is none; set `password`, or put it into the URL");
        sent_password_ = true;
        return Want::password;
    }
    if (prompts_->login.ends(line)) {
        if (sent_password_) return fail(Reason::denied, "the server asks for the user name again: it refused user name or password; check them");
        if (sent_user_) return fail(Reason::denied, "the server asks for the user name again: it refused that one; check it");
        if (!has_user_) return fail(Reason::missing, "the server asks for a user name, and there is none; set `username`, or put it into the URL");
        sent_user_ = true;
        return Want::user;
    }
    if (!has_answered() && woken_ < k_wakings && prompts_->wake.ends(last_line(text::trim(text)))) {
        ++woken_;
        return Want::wake;
    }
    return prompts_->shell.ends(line) ? Want::prompt : Want::more;
}

}  // namespace qconn::telnet
