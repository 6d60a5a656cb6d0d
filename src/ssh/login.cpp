// SPDX-License-Identifier: Apache-2.0
#include "ssh/login.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "ssh/ssh_error.hpp"

namespace qconn::ssh {

Login::Login(std::shared_ptr<const Settings> settings) : settings_{std::move(settings)} { attempts_.push_back({}); }

const char* Login::method_of(Kind kind) {
    switch (kind) {
        case Kind::none: return "none";
        case Kind::key:
        case Kind::agent: return "publickey";
        case Kind::password: return "password";
        case Kind::interactive: return "keyboard-interactive";
    }
    return "";
}

std::string Login::words_of(const Attempt& attempt) {
    std::string text = method_of(attempt.kind);
    if (attempt.kind == Kind::agent) text += " (agent)";
    if (attempt.kind == Kind::key) text += " (" + attempt.source.shown + ')';
    return text;
}

bool Login::takes(const char* method) const { return offered_.empty() || std::find(offered_.begin(), offered_.end(), method) != offered_.end(); }

void Login::plan(Transport& transport) {
    planned_ = true;
    const SshOptions& options = settings_->options;
    const std::vector<KeySource> sources = key_sources(*settings_);
    // A key that is named comes before the agent's: a server counts what is tried, and an agent may have many.
    const bool named = !sources.empty() && sources.front().named;
    const auto add_keys = [&] {
        for (const KeySource& source : sources) attempts_.push_back({Kind::key, source, false});
    };
    if (named) add_keys();
    if (options.use_agent && transport.has_agent()) attempts_.push_back({Kind::agent, {}, false});
    if (!named) add_keys();
    if (!options.password.empty()) {
        attempts_.push_back({Kind::password, {}, false});
        if (options.keyboard_interactive) attempts_.push_back({Kind::interactive, {}, false});
    }
}

/// The next one that was not tried and that the server takes.
bool Login::next_attempt() {
    for (std::size_t i = 0; i < attempts_.size(); ++i) {
        if (attempts_[i].used || !takes(method_of(attempts_[i].kind))) continue;
        at_ = i;
        key_.reset();
        return true;
    }
    return false;
}

LoginStep Login::try_one(Transport& transport) {
    switch (attempts_[at_].kind) {
        case Kind::none: return transport.login_none();
        case Kind::key: return transport.login_key(*key_->key);
        case Kind::agent: return *std::exchange(worked_, std::nullopt);
        case Kind::password: return transport.login_password(settings_->options.password);
        case Kind::interactive: return transport.login_interactive(settings_->options.password);
    }
    return LoginStep::failed;
}

void Login::work(Transport& transport) {
    if (attempts_[at_].kind == Kind::agent) {
        agent_problem_ = transport.agent_problem();
        worked_ = agent_problem_.empty() ? transport.login_agent_blocking() : LoginStep::denied;
    } else {
        key_ = load_key(*settings_, attempts_[at_].source);
    }
}

Login::Next Login::advance(Transport& transport) {
    for (;;) {
        Attempt& attempt = attempts_[at_];
        if (attempt.kind == Kind::agent && !worked_) return Next::block;
        if (attempt.kind == Kind::key) {
            if (!key_) return Next::block;
            if (!key_->key) {
                if (attempt.source.named) {
                    const std::string text = "logging in to \"" + settings_->peer + "\" failed: the " + attempt.source.shown + ": " + key_->problem;
                    return fail(ssh_error(SshErrc::key, text, Phase::auth, key_->reason));
                }
                if (!key_->problem.empty()) tried_.push_back(words_of(attempt) + ": " + key_->problem);
                attempt.used = true;
                if (!next_attempt()) return fail_all({});
                continue;
            }
        }
        const LoginStep step = try_one(transport);
        if (step == LoginStep::again) return Next::wait;
        attempt.used = true;
        const bool lost = step == LoginStep::failed && !transport.is_open();
        if (step == LoginStep::done || step == LoginStep::partial) {
            if (!method_.empty()) method_ += " and ";
            method_ += words_of(attempt);
            if (step == LoginStep::done) return Next::done;
            tried_.push_back(words_of(attempt) + ": taken, but the server wants more");
        } else if (attempt.kind != Kind::none) {
            std::string what = step == LoginStep::denied ? "refused" : transport.problem();
            if (attempt.kind == Kind::agent && step == LoginStep::denied)
                what = agent_problem_.empty() ? "it has no key that the server takes" : agent_problem_;
            tried_.push_back(words_of(attempt) + ": " + what);
        }
        if (lost) return fail_all("the server ended the session: " + transport.problem());
        if (!transport.methods().empty()) offered_ = transport.methods();
        if (!planned_) plan(transport);
        if (!next_attempt()) return fail_all({});
    }
}

Login::Next Login::fail(Error error) {
    if (!settings_->options.label.empty()) error.with_connection(settings_->options.label);
    error_ = std::move(error);
    return Next::failed;
}

Login::Next Login::fail_all(const std::string& why) {
    std::string text = "logging in to \"" + settings_->peer + "\" failed: ";
    if (!why.empty()) text += why + "; ";
    if (!offered_.empty()) text += "the server takes " + text::join(offered_, ", ") + "; ";
    text += tried_.empty() ? "nothing was tried" : "tried " + text::join(tried_, ", ");
    const auto had = [&](const char* method) {
        return std::any_of(attempts_.begin(), attempts_.end(), [&](const Attempt& one) {
            if (one.kind == Kind::agent && !agent_problem_.empty()) return false;
            return one.used && std::string_view{method_of(one.kind)} == method;
        });
    };
    const bool keys = takes("publickey") && !had("publickey");
    const bool password = (takes("password") || takes("keyboard-interactive")) && settings_->options.password.empty();
    if (keys && password)
        text += "; there is neither a key nor a password: set the option keyfile, or a password";
    else if (keys)
        text += "; there is no key: set the option keyfile";
    else if (password)
        text += "; there is no password";
    else
        text += "; check the user, the password and the key";
    auto detail = std::make_shared<SshAuthDetail>();
    detail->offered = offered_;
    detail->tried = tried_;
    // A server that has had enough says so as it ends the session; any other end of it is no answer.
    const bool cut = !why.empty() && why.find("oo many") == std::string::npos;
    const Reason reason = cut ? Reason::closed : tried_.empty() ? Reason::missing : Reason::denied;
    Error error = ssh_error(SshErrc::auth, std::move(text), Phase::auth, reason);
    error.with_retryable(cut);
    error.with_detail(std::move(detail));
    return fail(std::move(error));
}

}  // namespace qconn::ssh
