// SPDX-License-Identifier: Apache-2.0
/// KEY=VALUE of a command line as changes of a definition.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/core/definition.hpp>
#include <qconn/core/scheme.hpp>

namespace qconn::cli {

class Changes {
public:
    Changes(Definition& definition, const Catalogue& catalogue) : definition_{definition}, catalogue_{catalogue} {}

    /// KEY is a key of the document, an option, OPTION.MEMBER of a map, tags.NAME, or a part of the URL: `url.host`, and `host` where there is no
    /// option of that name. A `-` as the value of a secret asks for it, or reads a line of standard input.
    /// @throws UsageError naming the nearest key
    void set(const std::string& key, const std::string& value);
    /// An option becomes null, so that its default does not count; another key goes.
    void unset(const std::string& key);
    /// The key goes; of an option the default counts again.
    void remove(const std::string& key);

    /// What has been set or taken away: "url.password", "password" for the option.
    bool has_touched(const std::string& what) const { return touched_.count(what) != 0; }
    /// Warns on standard error of secrets that stood on the command line, for all to see.
    void warn_of_shown_secrets() const;

private:
    enum class Kind { text, flag, tag, member, option, url_part };
    struct Target {
        Kind kind;
        std::string name;
        std::string inner{};
    };
    Target target(const std::string& key) const;
    void set_text(const std::string& key, const std::string& value);
    void set_flag(const std::string& key, const std::string& value);
    void set_url_part(const std::string& part, const std::string* value);
    std::string secret(const std::string& key, const std::string& value);
    const Scheme* scheme() const { return catalogue_.find(definition_.scheme()); }
    const OptionSpec* spec(std::string_view name) const;
    std::string written_name(std::string_view name) const;
    [[noreturn]] void unknown(const std::string& key) const;
    void take_away(const std::string& key, bool null);

    Definition& definition_;
    const Catalogue& catalogue_;
    std::set<std::string> touched_;
    std::vector<std::string> shown_secrets_;
};

/// KEY and VALUE. @throws UsageError
std::pair<std::string, std::string> key_and_value(const std::string& word);

/// Whether it is one reference to a secret and nothing else, whoever provides it: programs and settings have providers that the tool does not know.
bool is_reference(std::string_view text);

}  // namespace qconn::cli
