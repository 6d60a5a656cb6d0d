// SPDX-License-Identifier: Apache-2.0
/// What servers ask, and how it is told from what else they say.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/telnet/telnet_options.hpp>

#include "telnet/pattern.hpp"

namespace qconn::telnet {

/// The last, unfinished line of a text, where prompts are: at most its last k_longest_prompt bytes.
inline constexpr std::size_t k_longest_prompt = 1'024;
std::string_view last_line(std::string_view text) noexcept;

/// Patterns, one of which is enough. Immutable once made.
class PatternSet {
public:
    PatternSet() = default;
    /// @param what  for the message: "login_prompt"
    /// @throws std::invalid_argument with what is wrong
    PatternSet(const std::vector<TelnetPattern>& patterns, std::string_view what);

    bool empty() const noexcept { return patterns_.empty(); }
    /// Found so that only blanks follow. @returns where it begins in `line`
    std::optional<std::size_t> ends(std::string_view line) const;
    bool is_in(std::string_view text) const;

private:
    std::vector<Pattern> patterns_;
};

/// All of a connection, the defaults in the place of what is not given.
struct Prompts {
    explicit Prompts(const TelnetOptions& options);
    PatternSet login;
    PatternSet password;
    PatternSet shell;
    PatternSet failure;
    PatternSet pager;
    PatternSet wake;        ///< "Press RETURN to get started"
    bool shell_is_default;  ///< then prompts are learned
};

/// What stays the same in the prompts of one host: "router" of "router(config)#", "edi@host" of "edi@host:~$ ". Empty: nothing is certain to.
std::string stem_of(std::string_view prompt);

/// The shell's prompt, as the log-in has seen it. A value type.
class ShellPrompt {
public:
    /// @param prompts  lives as long
    explicit ShellPrompt(const Prompts& prompts) noexcept : prompts_{&prompts} {}

    /// From now on prompts begin as that one, where no pattern was given.
    void learn(std::string_view prompt);
    /// @returns where a prompt begins in `text`, that ends it; npos: nowhere
    std::size_t find(std::string_view text) const;
    const std::string& last() const noexcept { return last_; }
    void set_last(std::string prompt) { last_ = std::move(prompt); }

private:
    const Prompts* prompts_;
    std::optional<Pattern> learned_;
    std::string exact_;  // as it was seen
    std::string last_;
};

}  // namespace qconn::telnet
