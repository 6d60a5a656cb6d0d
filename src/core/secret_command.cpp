// SPDX-License-Identifier: Apache-2.0
// The secrets that commands print.
#include <array>
#include <csignal>
#include <cstring>
#include <system_error>

#include <qconn/base/error.hpp>

#include "base/text.hpp"
#include "core/command.hpp"
#include "core/secret_table.hpp"

namespace qconn {

namespace {

using core::CommandOutcome;
using End = CommandOutcome::End;

struct Words {
    Reason reason;
    std::string text;
};

std::string seconds_text(std::chrono::milliseconds time) {
    return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s" : std::to_string(time.count()) + " ms";
}

/// Why there is no secret; nothing of what the command printed.
Words words_of(const CommandOutcome& outcome, const std::string& program, std::chrono::milliseconds timeout) {
    switch (outcome.end) {
        case End::exited:
            if (outcome.code != 0) return {Reason::status, "it ended with status " + std::to_string(outcome.code)};
            return {Reason::missing, "it printed nothing"};
        case End::killed: {
            const char* name = ::sigabbrev_np(outcome.code);
            return {Reason::status, "it was ended by the signal " + (name ? std::string{"SIG"} + name : std::to_string(outcome.code))};
        }
        case End::late:
            return {Reason::timeout, "it had not ended in time and was killed with all that it had started (at most " + seconds_text(timeout) + ")"};
        case End::cancelled: return {Reason::cancelled, "nobody waited for it any more, so it was killed"};
        case End::too_large: return {Reason::limit, "it printed more than " + std::to_string(core::k_max_secret_file) + " bytes and was killed"};
        case End::lost:
            return {
                Reason::local,
                "its exit status was taken by other code of this process, which ignores SIGCHLD or waits for all children; without the status its "
                "output is not used"};
        case End::no_start: break;
    }
    const bool missing = outcome.code == ENOENT || outcome.code == ENOTDIR;
    const Reason reason = missing ? Reason::missing : outcome.code == EACCES ? Reason::permission : Reason::local;
    return {reason, "cannot start \"" + text::printable(program) + "\": " + std::system_category().message(outcome.code)};
}

/// " (its last words: …)", without its output, which it may have written there as well.
std::string last_line(const CommandOutcome& outcome) {
    std::string_view all = text::trim(outcome.errors);
    if (const auto newline = all.rfind('\n'); newline != std::string_view::npos) all.remove_prefix(newline + 1);
    const auto output = text::trim(outcome.output.reveal());
    if (all.empty() || (!output.empty() && all.find(output) != std::string_view::npos)) return {};
    return " (its last words: " + text::shorten(text::printable(all), 200) + ")";
}

SecretAnswer read_command(const SecretRequest& request, const CommandSecretOptions& options) {
    const auto words = core::split_words(request.argument);
    core::CommandLimits limits;
    limits.deadline = request.deadline;
    limits.max_output = core::k_max_secret_file;
    limits.cancelled = [&request] { return request.cancelled(); };
    const CommandOutcome outcome = core::run_command(words.value(), limits);
    const auto secret = core::without_newline(outcome.output.reveal());
    if (outcome.end == End::exited && outcome.code == 0 && !secret.empty()) return {Secret{secret}};
    Words why = words_of(outcome, words->front(), options.timeout);
    if (options.show_errors)
        why.text += last_line(outcome);
    else if (!outcome.errors.empty())
        why.text += "; what it wrote to standard error is not shown, as it may hold secrets: run it by hand";
    throw make_error(Errc::secret, "the command failed: " + why.text).with_reason(why.reason);
}

}  // namespace

SecretProvider command_secrets(const CommandSecretOptions& options) {
    SecretProvider provider;
    provider.prefix = "cmd";
    provider.read = [options](const SecretRequest& request) { return read_command(request, options); };
    provider.check = [](std::string_view line) -> std::string {
        const auto words = core::split_words(line);
        if (!words) return "the command in '${cmd:…}' has a quote that is not closed, a '\\' at its end, or a NUL";
        return words->empty() || words->front().empty() ? "the command in '${cmd:…}' names no program" : "";
    };
    provider.timeout = options.timeout;
    provider.concurrency = options.concurrency;
    return provider;
}

}  // namespace qconn
