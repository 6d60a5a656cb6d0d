// SPDX-License-Identifier: Apache-2.0
/// Commands on another machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/byte_stream.hpp>
#include <qconn/base/client.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/net/runtime.hpp>
#include <qconn/ssh/ssh_error.hpp>
#include <qconn/ssh/ssh_options.hpp>

namespace qconn {

namespace ssh {
class Sessions;
}

/// One command. A value type.
struct SshCommand {
    /// For the shell of the user there: quote what comes from elsewhere with ssh_quote().
    std::string command{};
    /// Asked of the server before; most take few names (AcceptEnv), what they refuse is in SshResult::refused_environment.
    std::vector<std::pair<std::string, std::string>> environment{};
    /// What it reads. Null: nothing, its input ends at once.
    std::shared_ptr<ByteSource> input{};
    /// Where what it writes goes. Null: to SshResult.
    std::shared_ptr<ByteSink> output{};
    std::shared_ptr<ByteSink> errors{};
    /// Most bytes that go to SshResult::output, and to errors. Above: SSH-LIMIT-ERROR, reason limit.
    std::size_t max_output{std::size_t{64} * 1024 * 1024};
};

/// How a command ended. Every end that the server tells of is a result, also those that are no success. A value type.
struct SshResult {
    /// Its exit status; none where a signal ended it, or the server did not tell.
    std::optional<int> status{};
    /// Name of the signal without SIG, as the server has it: "TERM". Empty: none.
    std::string signal{};
    /// What the server says of that, and whether there is a core dump.
    std::string signal_message{};
    bool core_dumped{false};
    std::string output{};
    std::string errors{};
    std::vector<std::string> refused_environment{};

    bool ok() const noexcept { return status && *status == 0; }
};

/// A text as one word of a POSIX shell.
QCONN_API std::string ssh_quote(std::string_view word);

/// Runs commands by SSH. One session with the server, made by the first call, carries all calls, each in a channel of its own; one that broke is
/// replaced by the next call.
/// @note Thread-safe; calls run beside each other (a server has a limit: OpenSSH's MaxSessions is 10, further ones are refused). Where a call ends
/// before its command, by deadline, cancellation or the end of the client, its channel is closed; most servers leave the command running until it
/// reads or writes. Destroying the client ends all calls as cancelled, at once.
class QCONN_API SshClient final : public Client {
public:
    /// Connects nothing yet.
    /// @throws Error SSH-OPTION-ERROR
    explicit SshClient(SshOptions options, Runtime runtime = {});
    ~SshClient() override;

    std::string_view label() const noexcept override;
    const SshOptions& options() const noexcept;

    /// Runs it and waits for its end, and for the end of what it writes. Source and sinks are called on the calling thread; while the source is
    /// waited for, sinks are not.
    /// @throws Error of reaching the server (NetErrc), of SSH (SshErrc), TIMEOUT, CANCELLED
    SshResult run(const SshCommand& command, Deadline deadline = {});
    SshResult run(std::string_view command, Deadline deadline = {});
    /// The same. Source and sinks are called on an I/O thread, and must not block.
    Operation async_run(SshCommand command, Deadline deadline, Callback<SshResult> callback);

    /// Of the session that there is; connects and logs in where there is none.
    /// @throws Error as run()
    SshSessionInfo connect(Deadline deadline = {});
    Operation async_connect(Deadline deadline, Callback<SshSessionInfo> callback);
    /// connect(), and then a channel is opened and closed: the server has a place for one.
    void check(Deadline deadline = {});

private:
    SshOptions options_;
    Runtime runtime_;
    std::shared_ptr<ssh::Sessions> sessions_;
};

}  // namespace qconn
