// SPDX-License-Identifier: Apache-2.0
/// Where secrets come from: what stands behind `${env:…}`, `${file:…}`, `${cmd:…}` and the references of a program's own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/secret.hpp>

namespace qconn {

struct Definition;

/// `${PREFIX:ARGUMENT}` as it stands in a definition, whoever provides it.
struct SecretReference {
    std::string prefix;
    std::string argument;
};
/// The references in a text, in their order.
QCONN_API std::vector<SecretReference> secret_references(std::string_view text);
/// Those in URL and options.
QCONN_API std::vector<SecretReference> secret_references(const Definition& definition);

/// One question to a provider. The views live as long as the call.
struct SecretRequest {
    /// What stands after the prefix: of `${vault:shop/api#password}` it is `shop/api#password`.
    std::string_view argument;
    /// The connection that the secret is for; may be empty.
    std::string_view connection;
    /// Where the definition's file is, which relative paths count from; empty: the working directory.
    std::string_view directory;
    /// An answer after it is of no use. Never only where the provider's `may_block` is false.
    Deadline deadline{};
    /// Behind cancelled(); null: it never is.
    const std::atomic<bool>* cancel{nullptr};

    /// Whether nobody waits for the answer any more.
    bool cancelled() const noexcept { return cancel && cancel->load(std::memory_order_relaxed); }
};

/// What a provider says.
struct SecretAnswer {
    Secret secret;
    /// How long it holds, counted from the answer. Until nine tenths of it have passed the same reference is not asked for again; then it is read
    /// anew, and where it has changed the connections take it over. Not below 100 ms. None: it is neither kept nor read anew by itself.
    std::optional<std::chrono::milliseconds> valid_for{};
};

/// A kind of secret reference. Plain data and functions; the built-in ones are of the same kind.
///
/// `read` runs on threads of its provider's own, at most `concurrency` at a time for each registry, and may block: what hangs there holds up the
/// connections that refer to this provider and nothing else. It must be safe to call from several threads unless `concurrency` is 1, and own what it
/// uses: a call that nobody waits for any more runs to its end, also after the registry has gone. It may use the registry and other connections, but
/// not one whose own secret comes from here.
///
/// Where it throws, the connection fails with SECRET-ERROR (phase secret), which names the reference. Of an Error the message, reason and
/// retryable() go into that one, so write no secret into it; of other exceptions only the type is told.
struct SecretProvider {
    /// A lower-case letter, then lower-case letters, digits, '-' and '_'; at most 32 characters.
    std::string prefix;
    std::function<SecretAnswer(const SecretRequest&)> read;
    /// What is wrong with an argument, without asking anybody; empty: nothing. Called when definitions are checked. May be empty. Its words are
    /// shown.
    std::function<std::string(std::string_view argument)> check{};
    /// Longest time for all secrets of one connection.
    std::chrono::milliseconds timeout{10'000};
    /// At least 1.
    std::size_t concurrency{4};
    /// False: `read` is quick and runs on whichever thread needs the secret, I/O threads included.
    bool may_block{true};
    /// Not empty: references of this prefix are errors, for this reason.
    std::string disabled{};
};

struct CommandSecretOptions {
    /// After it the command is killed with all processes that it has started.
    std::chrono::milliseconds timeout{10'000};
    /// How many commands run at a time.
    std::size_t concurrency{4};
    /// Puts the last line that a failing command wrote to standard error into the error message. Off, as some commands write secrets there.
    bool show_errors{false};
};

/// The provider behind `${cmd:COMMAND}`, for RegistryOptions::secret_providers: whoever can write a definition then chooses commands that this
/// process runs with its rights. The output of the command, without one newline at its end, is the secret. docs/secrets.md says how commands are run.
QCONN_API SecretProvider command_secrets(const CommandSecretOptions& options = {});

}  // namespace qconn
