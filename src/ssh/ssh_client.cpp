// SPDX-License-Identifier: Apache-2.0
#include <qconn/ssh/ssh_client.hpp>

#include <utility>

#include "base/outcome_box.hpp"
#include "net/runtime_impl.hpp"
#include "ssh/command.hpp"
#include "ssh/sessions.hpp"

namespace qconn {

namespace {

void refuse_on_loop(const Runtime& runtime, const std::string& label) {
    if (!runtime.on_io_thread()) return;
    throw make_error(
        Errc::invalid_argument,
        "a blocking SSH call was made on an I/O thread of its runtime, where it would hold up everything else; use the asynchronous form, "
        "or post_blocking")
        .with_connection(label);
}

}  // namespace

std::string ssh_quote(std::string_view word) {
    std::string out{"'"};
    for (const char c : word) {
        if (c == '\'')
            out += "'\\''";
        else
            out += c;
    }
    return out + '\'';
}

SshClient::SshClient(SshOptions options, Runtime runtime)
    : options_{std::move(options)}, runtime_{std::move(runtime)}, sessions_{ssh::Sessions::make(options_, runtime_)} {}

SshClient::~SshClient() { sessions_->close(); }

std::string_view SshClient::label() const noexcept { return options_.label; }
const SshOptions& SshClient::options() const noexcept { return options_; }

SshResult SshClient::run(const SshCommand& command, Deadline deadline) {
    return observed([&] {
        refuse_on_loop(runtime_, options_.label);
        const auto sessions = sessions_;
        return ssh::run_command(sessions, command, deadline);
    });
}

SshResult SshClient::run(std::string_view command, Deadline deadline) {
    SshCommand what;
    what.command = command;
    return run(what, deadline);
}

Operation SshClient::async_run(SshCommand command, Deadline deadline, Callback<SshResult> callback) {
    return ssh::start_command(sessions_, std::move(command), deadline, under_way(std::move(callback)));
}

SshSessionInfo SshClient::connect(Deadline deadline) {
    return observed([&] {
        refuse_on_loop(runtime_, options_.label);
        const auto box = std::make_shared<OutcomeBox<SshSessionInfo>>();
        sessions_->connect(deadline, [box](Result<SshSessionInfo> result) { box->put(std::move(result)); });
        return box->take();
    });
}

Operation SshClient::async_connect(Deadline deadline, Callback<SshSessionInfo> callback) {
    return sessions_->connect(deadline, under_way(std::move(callback)));
}

void SshClient::check(Deadline deadline) {
    observed([&] {
        refuse_on_loop(runtime_, options_.label);
        const auto box = std::make_shared<OutcomeBox<int>>();
        sessions_->open({}, deadline, [box](Result<std::unique_ptr<ssh::SessionChannel>> result) {
            box->put(result ? Result<int>{0} : Result<int>{result.error()});
        });
        box->take();
    });
}

}  // namespace qconn
