// SPDX-License-Identifier: Apache-2.0
#include "telnet/prompts.hpp"

#include <stdexcept>
#include <utility>

#include "base/text.hpp"

namespace qconn {

const TelnetDefaults& telnet_defaults() {
    static const TelnetDefaults all{
        {R"((?i)(?<!last )(?<!failed )\b(?:login|log in|user ?name|user ?id|user|account|benutzername)\b[^\r\n:]{0,40}:$)"},
        {R"((?i)\b(?:password|passcode|passphrase|passwort|kennwort|mot de passe|contrase.{1,2}a|pin)\b[^\r\n:]{0,80}:$)"},
        {R"(^[^\r\n]{0,200}[$#>%\]]$)"},
        {R"((?i)\b(?:login|log-?in|authentication|authori[sz]ation|logon) (?:is )?(?:incorrect|invalid|failed|failure|denied|rejected)\b)",
         R"((?i)\b(?:invalid|bad|incorrect|wrong|unknown) (?:login|logon|password|passwords|passcode|user ?name|user ?id|user|credentials)\b)",
         R"((?i)\b(?:access|permission) denied\b)",
         R"((?i)\btoo many (?:login |logon |failed )*(?:failures|attempts|tries|users|sessions|connections)\b)",
         R"((?i)\baccount (?:is |has been )?(?:locked|disabled|expired)\b)", R"((?i)\bpassword (?:has |is )?expired\b)"},
        {R"((?i)^[ \t]*[<\[(-][<\[( -]*more\b[^\r\n]{0,80}$)", R"((?i)^[^\r\n]{0,40}-{1,4} ?more ?-{1,4}[^\r\n]{0,40}$)",
         R"((?i)^[^\r\n]{0,40}(?:press|hit|type) (?:any key|space|<?space ?bar>?|<space>|enter|return|<return>|<enter>)[^\r\n]{0,80}$)",
         R"(^\(END\)$)"},
    };
    return all;
}

namespace telnet {
namespace {

constexpr std::string_view k_blanks{" \t\r\0", 4};
/// For looking at a line of k_longest_prompt bytes.
constexpr std::chrono::milliseconds k_line_time{200};
constexpr std::chrono::milliseconds k_text_time{1'000};

std::string quoted(std::string_view words) {
    std::string out;
    for (const char c : words) {
        if (!text::is_alpha(c) && !text::is_digit(c) && static_cast<unsigned char>(c) < 0x80) out += '\\';
        out += c;
    }
    return out;
}

std::string_view without_blanks(std::string_view line) noexcept {
    const auto end = line.find_last_not_of(k_blanks);
    return end == npos ? std::string_view{} : line.substr(0, end + 1);
}

std::vector<TelnetPattern> or_default(const std::vector<TelnetPattern>& given, const std::vector<TelnetPattern>& usual) {
    return given.empty() ? usual : given;
}

}  // namespace

std::string_view last_line(std::string_view text) noexcept {
    // A carriage return at the end of a line is none within it.
    const auto end = text.find_last_not_of("\r");
    const std::string_view seen = end == npos ? std::string_view{} : text.substr(0, end + 1);
    const auto begin = seen.find_last_of("\r\n");
    std::string_view line = begin == npos ? text : text.substr(begin + 1);
    if (line.size() > k_longest_prompt) line.remove_prefix(line.size() - k_longest_prompt);
    return line;
}

PatternSet::PatternSet(const std::vector<TelnetPattern>& patterns, std::string_view what) {
    for (const TelnetPattern& one : patterns) {
        std::string problem;
        auto compiled = Pattern::compile(one, problem);
        if (!compiled)
            throw std::invalid_argument{std::string{what} + ": \"" + text::printable(one.text) + "\" is no regular expression: " + problem};
        patterns_.push_back(std::move(*compiled));
    }
}

std::optional<std::size_t> PatternSet::ends(std::string_view line) const {
    const std::string_view words = without_blanks(line);
    if (words.empty()) return std::nullopt;
    const Deadline give_up{k_line_time};
    // Once with the blanks that follow, which a pattern may name, and once without, for those that end in `$`.
    for (const std::string_view seen : {line, words}) {
        for (const Pattern& one : patterns_) {
            for (std::size_t from = 0; from < seen.size();) {
                const auto search = one.search(seen, from, give_up);
                if (search.outcome != Pattern::Outcome::found) break;
                if (search.found.end >= words.size() && search.found.begin < words.size()) return search.found.begin;
                from = search.found.begin + 1;
            }
        }
    }
    return std::nullopt;
}

bool PatternSet::is_in(std::string_view text) const {
    const Deadline give_up{k_text_time};
    for (const Pattern& one : patterns_) {
        if (one.search(text, 0, give_up).outcome == Pattern::Outcome::found) return true;
    }
    return false;
}

Prompts::Prompts(const TelnetOptions& options)
    : login{or_default(options.login_prompt, telnet_defaults().login_prompt), "login_prompt"},
      password{or_default(options.password_prompt, telnet_defaults().password_prompt), "password_prompt"},
      shell{or_default(options.shell_prompt, telnet_defaults().shell_prompt), "shell_prompt"},
      failure{or_default(options.failure, telnet_defaults().failure), "failure"},
      pager{options.pager_answer.empty() ? std::vector<TelnetPattern>{} : or_default(options.pager, telnet_defaults().pager), "pager"},
      wake{{R"((?i)\b(?:press|hit|type)\b[^\r\n]{0,40}\b(?:return|enter|any key)\b[^\r\n]{0,60}$)"}, "wake"},
      shell_is_default{options.shell_prompt.empty()} {}

std::string stem_of(std::string_view prompt) {
    const auto begin = prompt.find_first_not_of("*<[({! \t\r");
    if (begin == npos) return {};
    const std::string_view rest = prompt.substr(begin);
    return std::string{rest.substr(0, rest.find_first_of(" \t\r:~()[]<>{}#$%/\\"))};
}

void ShellPrompt::learn(std::string_view prompt) {
    set_last(std::string{prompt});
    exact_ = without_blanks(prompt);
    learned_.reset();
    if (!prompts_->shell_is_default) return;
    constexpr std::size_t k_certain = 3;
    const std::string stem = stem_of(prompt);
    std::string problem;
    if (stem.empty()) {
        learned_ = Pattern::compile("^" + quoted(exact_) + "$", problem);
    } else {
        // Output without a line end may stand before it, where its beginning is long enough to know it by.
        const std::string before = stem.size() >= k_certain ? "" : "^";
        learned_ = Pattern::compile(before + R"([*<\[({!]{0,2})" + quoted(stem) + R"((?![A-Za-z0-9])[^\r\n]{0,200}(?<=[$#>%\]])$)", problem);
    }
}

std::size_t ShellPrompt::find(std::string_view text) const {
    const std::string_view line = last_line(text);
    const std::size_t offset = static_cast<std::size_t>(line.data() - text.data());
    const std::string_view words = without_blanks(line);
    if (words.empty()) return npos;
    std::optional<std::size_t> begin;
    if (learned_) {
        const auto search = learned_->search(words, 0, Deadline{k_line_time});
        if (search.outcome == Pattern::Outcome::found) begin = search.found.begin;
    } else {
        begin = prompts_->shell.ends(line);
        // The pattern may be the end of it only: all of the line is taken for the prompt, but for what stands before the one that is known.
        if (begin) begin = exact_.size() > 1 && words.ends_with(exact_) ? words.size() - exact_.size() : 0;
    }
    if (!begin) return npos;
    return offset + *begin;
}

}  // namespace telnet
}  // namespace qconn
