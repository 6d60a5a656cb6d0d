// SPDX-License-Identifier: Apache-2.0
/// ssh_config(5) of OpenSSH: each host that is named without wildcards becomes an sftp connection, with what applies to it from the whole file.
#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/glob.hpp"
#include "base/text.hpp"
#include "import/fields.hpp"
#include "import/formats.hpp"
#include "import/lines.hpp"
#include "import/web.hpp"

namespace qconn::importing {
namespace {

/// Of all Host and Match lines together: every one is held against every host.
constexpr std::size_t k_most_patterns = 10'000;

struct Keyword {
    std::string_view name;
    enum class Means : std::uint8_t {
        taken,        ///< becomes part of the definition
        behaviour,    ///< of terminals, agents and forwarding: of no account for a connection that moves files
        changes_way,  ///< without it the connection goes another way, or is checked otherwise
    } means;
    std::string_view hint;
};
using Means = Keyword::Means;

// Those that are not here are keywords as well; they are told of as a change.
constexpr Keyword k_keywords[] = {
    {"hostname", Means::taken, {}},
    {"user", Means::taken, {}},
    {"port", Means::taken, {}},
    {"identityfile", Means::taken, {}},
    {"addkeystoagent", Means::behaviour, {}},
    {"batchmode", Means::behaviour, {}},
    {"clearallforwardings", Means::behaviour, {}},
    {"controlmaster", Means::behaviour, {}},
    {"controlpath", Means::behaviour, {}},
    {"controlpersist", Means::behaviour, {}},
    {"dynamicforward", Means::behaviour, {}},
    {"escapechar", Means::behaviour, {}},
    {"exitonforwardfailure", Means::behaviour, {}},
    {"fingerprinthash", Means::behaviour, {}},
    {"forkafterauthentication", Means::behaviour, {}},
    {"forwardagent", Means::behaviour, {}},
    {"forwardx11", Means::behaviour, {}},
    {"forwardx11timeout", Means::behaviour, {}},
    {"forwardx11trusted", Means::behaviour, {}},
    {"gatewayports", Means::behaviour, {}},
    {"hashknownhosts", Means::behaviour, {}},
    {"identitiesonly", Means::behaviour, {}},
    {"ipqos", Means::behaviour, {}},
    {"localcommand", Means::behaviour, {}},
    {"localforward", Means::behaviour, {}},
    {"loglevel", Means::behaviour, {}},
    {"logverbose", Means::behaviour, {}},
    {"numberofpasswordprompts", Means::behaviour, {}},
    {"permitlocalcommand", Means::behaviour, {}},
    {"remotecommand", Means::behaviour, {}},
    {"remoteforward", Means::behaviour, {}},
    {"requesttty", Means::behaviour, {}},
    {"sendenv", Means::behaviour, {}},
    {"serveralivecountmax", Means::behaviour, {}},
    {"serveraliveinterval", Means::behaviour, {}},
    {"sessiontype", Means::behaviour, {}},
    {"setenv", Means::behaviour, {}},
    {"stdinnull", Means::behaviour, {}},
    {"tcpkeepalive", Means::behaviour, {}},
    {"tunnel", Means::behaviour, {}},
    {"tunneldevice", Means::behaviour, {}},
    {"updatehostkeys", Means::behaviour, {}},
    {"usekeychain", Means::behaviour, {}},
    {"visualhostkey", Means::behaviour, {}},
    {"xauthlocation", Means::behaviour, {}},
    {"proxyjump", Means::changes_way, "the host is reached through another one: qconn connects directly"},
    {"proxycommand", Means::changes_way, "the host is reached through a command: qconn connects directly"},
};

const Keyword* keyword(std::string_view name) noexcept {
    const auto* const found =
        std::find_if(std::begin(k_keywords), std::end(k_keywords), [&](const Keyword& k) { return text::iequals(k.name, name); });
    return found == std::end(k_keywords) ? nullptr : found;
}

struct Setting {
    std::string key;
    std::vector<std::string> arguments;
    Place place;
    /// That it applies to, and of these those that lose it.
    std::size_t hosts{0};
    std::size_t lost{0};

    bool is(std::string_view name) const noexcept { return text::iequals(key, name); }
    std::string first() const { return arguments.empty() ? std::string{} : arguments.front(); }
};

/// What follows a Host or Match line, up to the next one.
struct Section {
    enum class Kind : std::uint8_t { all, host, match, never } kind{Kind::all};
    /// Of Host, or `criterion argument criterion argument` of Match.
    std::vector<std::string> words;
    Place place;
    std::vector<Setting> settings;
    bool applied{false};
};

/// The words of a line: quotes join, a backslash escapes quotes and itself, '#' at the beginning of a word ends the line. False: a quote is open.
bool split_words(std::string_view text, std::vector<std::string>& words) {
    std::size_t i = 0;
    for (;;) {
        while (i < text.size() && (text[i] == ' ' || text[i] == '\t')) ++i;
        if (i >= text.size() || text[i] == '#') return true;
        std::string word;
        char quote = 0;
        for (; i < text.size() && (quote != 0 || (text[i] != ' ' && text[i] != '\t')); ++i) {
            const char c = text[i];
            if (c == '\\' && i + 1 < text.size() &&
                (text[i + 1] == '"' || text[i + 1] == '\'' || text[i + 1] == '\\' || (quote == 0 && text[i + 1] == ' ')))
                word += text[++i];
            else if (quote == 0 && (c == '"' || c == '\''))
                quote = c;
            else if (c == quote)
                quote = 0;
            else
                word += c;
        }
        if (quote != 0) return false;
        words.push_back(std::move(word));
    }
}

/// One that is negated and matches rules the name out, whatever the others say.
template <class Patterns>
bool match_list(const Patterns& patterns, std::string_view name) {
    bool found = false;
    for (const std::string_view pattern : patterns) {
        const bool negated = pattern.starts_with('!');
        if (!text::glob_matches(negated ? pattern.substr(1) : pattern, name, text::Case::ignored)) continue;
        if (negated) return false;
        found = true;
    }
    return found;
}

bool is_name(std::string_view pattern) noexcept { return !pattern.empty() && pattern[0] != '!' && pattern.find_first_of("*?") == npos; }

class Reader {
public:
    explicit Reader(Run& run) : run_{run} { sections_.emplace_back(); }

    void read(std::string_view text) {
        for (const Line& line : lines_of(text)) {
            if (!this->line(line)) return;
        }
        for (const Section& section : sections_) {
            if (section.kind != Section::Kind::host) continue;
            for (const std::string& word : section.words) {
                if (!is_name(word) || !seen_.insert(text::to_lower(word)).second) continue;
                if (!run_.may_begin(section.place)) return;
                host(word, section.place);
            }
        }
        tell();
    }

private:
    bool line(const Line& line) {
        const std::string_view trimmed = text::trim(line.text);
        if (trimmed.empty() || trimmed[0] == '#') return true;
        std::size_t end = 0;
        while (end < trimmed.size() && (text::is_alpha(trimmed[end]) || text::is_digit(trimmed[end]))) ++end;
        const std::string_view key = trimmed.substr(0, end);
        std::string_view rest = text::trim(trimmed.substr(end));
        const bool parted = end == trimmed.size() || text::is_space(trimmed[end]) || trimmed[end] == '=' || trimmed[end] == '"';
        if (rest.starts_with('=')) rest = text::trim(rest.substr(1));
        std::vector<std::string> words;
        if (key.empty() || !parted || !split_words(rest, words) || words.empty()) {
            run_.error("bad-line", line.start(), "this is no line of an ssh_config: a keyword and its arguments are expected");
            return true;
        }
        const Place place = line.at(key);
        if (text::iequals(key, "Host") || text::iequals(key, "Match")) return section(text::iequals(key, "Host"), std::move(words), place);
        if (text::iequals(key, "Include")) {
            run_.warning("include", place, "the files that this line names are not read",
                         "import them as well; what one file says does not apply to the hosts of another");
            return true;
        }
        if (const Keyword* known = keyword(key); known != nullptr && known->means == Means::taken && words.size() > 1)
            run_.warning("extra-words", place, "the keyword " + quoted(key) + " takes one argument; those after it are not carried over",
                         "put quotes around an argument with blanks");
        sections_.back().settings.push_back({std::string{key}, std::move(words), place});
        return true;
    }

    bool section(bool host, std::vector<std::string> words, Place place) {
        patterns_ += words.size();
        if (patterns_ > k_most_patterns) {
            run_.error("limit", place,
                       "more than " + std::to_string(k_most_patterns) + " patterns of Host and Match; nothing of this file is imported");
            return false;
        }
        Section section;
        section.kind = host ? Section::Kind::host : Section::Kind::match;
        section.words = std::move(words);
        section.place = place;
        if (!host && !can_be_judged(section.words)) {
            run_.warning("match", place,
                         "the conditions of this Match can only be judged when a connection is made; its settings are not carried over",
                         "all, host and originalhost are understood");
            section.kind = Section::Kind::never;
        }
        sections_.push_back(std::move(section));
        return true;
    }

    static bool can_be_judged(const std::vector<std::string>& words) {
        for (std::size_t i = 0; i < words.size(); ++i) {
            if (text::iequals(words[i], "all")) continue;
            if ((!text::iequals(words[i], "host") && !text::iequals(words[i], "originalhost")) || ++i >= words.size()) return false;
        }
        return true;
    }

    static bool applies(const Section& section, const std::string& name, const std::string& host_name) {
        if (section.kind == Section::Kind::all) return true;
        if (section.kind == Section::Kind::host) return match_list(section.words, name);
        if (section.kind == Section::Kind::never) return false;
        for (std::size_t i = 0; i < section.words.size(); ++i) {
            if (text::iequals(section.words[i], "all")) continue;
            const std::string& against = text::iequals(section.words[i], "host") && !host_name.empty() ? host_name : name;
            if (!match_list(text::split(section.words[++i], ','), against)) return false;
        }
        return true;
    }

    void host(const std::string& alias, Place place) {
        Setting* host_name = nullptr;
        Setting* user = nullptr;
        Setting* port = nullptr;
        std::vector<Setting*> keys;
        std::set<std::string, std::less<>> obtained;
        for (Section& section : sections_) {
            if (!applies(section, alias, host_name != nullptr ? host_name->first() : std::string{})) continue;
            section.applied = true;
            for (Setting& setting : section.settings) {
                ++setting.hosts;
                if (setting.is("IdentityFile")) {
                    keys.push_back(&setting);
                    continue;
                }
                if (!obtained.insert(text::to_lower(setting.key)).second) continue;  // the first value counts
                bool taken = false;
                for (auto [name, one] : {std::pair{"HostName", &host_name}, std::pair{"User", &user}, std::pair{"Port", &port}}) {
                    if (!setting.is(name)) continue;
                    *one = &setting;
                    taken = true;
                }
                if (!taken) ++setting.lost;
            }
        }

        Draft draft;
        draft.name = run_.name(alias, place);
        draft.place = place;
        draft.description = "Host " + alias + " of ssh_config";
        draft.scheme = "sftp";
        Fields fields{run_, draft.name, "the keyword "};
        if (port != nullptr) {
            fields.add({port->key, Value{port->first()}, port->place});
            draft.port = fields.port({"Port"});
        }
        if (user != nullptr) draft.user = literal(user->first());
        std::string host = alias;
        if (host_name != nullptr) host = expanded(*host_name, host_name->first(), alias, alias, draft, false);
        draft.host = literal(host);
        key_file(keys, alias, host, draft);
        run_.add(std::move(draft));
    }

    /// ssh tries all of them; a definition has one.
    void key_file(const std::vector<Setting*>& keys, const std::string& alias, const std::string& host, Draft& draft) {
        if (keys.empty() || text::iequals(keys.front()->first(), "none")) return;
        const Setting& first = *keys.front();
        draft.options.set("keyfile", Value{home_path(expanded(first, first.first(), alias, host, draft, true), true)});
        for (std::size_t i = 1; i < keys.size(); ++i) {
            if (keys[i]->first() != first.first()) ++keys[i]->lost;
        }
    }

    /// Tokens as ssh replaces them; `%d` and `%u` are left to the environment of the process that connects.
    std::string expanded(const Setting& setting, std::string_view text, const std::string& alias, const std::string& host, const Draft& draft,
                         bool path) {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] != '%' || i + 1 >= text.size()) {
                out += text[i];
                continue;
            }
            const char token = text[++i];
            if (token == '%')
                out += '%';
            else if (token == 'h')
                out += host;
            else if (token == 'n' && path)
                out += alias;
            else if (token == 'p' && path)
                out += std::to_string(draft.port.value_or(22));
            else if (token == 'r' && path && !draft.user.empty())
                out += draft.user;
            else if (token == 'd' && path)
                out += "$HOME";
            else if (token == 'u' && path)
                out += "$USER";
            else {
                out.append("%").append(1, token);
                run_.warning("token", setting.place,
                             "this token of the keyword " + quoted(setting.key) + " is known to ssh only; it stays as it stands",
                             "write the value out", draft.name);
            }
        }
        return out;
    }

    /// One finding a line, however many hosts it applies to.
    void tell() {
        for (const Section& section : sections_) {
            if (section.kind == Section::Kind::never) continue;
            for (const Setting& setting : section.settings) {
                if (setting.hosts == 0) {
                    run_.note("applies-to-none", setting.place, "the keyword " + quoted(setting.key) + " applies to no host that this file names");
                    continue;
                }
                if (setting.lost == 0) continue;
                const Keyword* known = keyword(setting.key);
                const std::string message = "the keyword " + quoted(setting.key) + " is not carried over" +
                                            (setting.lost > 1 ? " (" + std::to_string(setting.lost) + " hosts)" : std::string{});
                if (setting.is("IdentityFile"))
                    run_.warning("not-carried", setting.place, message, "a definition has one key; the first that applies counts");
                else if (known != nullptr && known->means == Means::behaviour)
                    run_.note("not-carried", setting.place, message);
                else
                    run_.warning("not-carried", setting.place, message, known != nullptr ? std::string{known->hint} : std::string{});
            }
        }
    }

    Run& run_;
    std::vector<Section> sections_;
    std::set<std::string> seen_;
    std::size_t patterns_{0};
};

}  // namespace

void read_ssh_config(std::string_view text, Run& run) { Reader{run}.read(text); }

}  // namespace qconn::importing
