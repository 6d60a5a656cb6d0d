// SPDX-License-Identifier: Apache-2.0
/// One import over all its sources: what importers hand their connections and findings to.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/core/scheme.hpp>
#include <qconn/import/import.hpp>

#include "import/draft.hpp"

namespace qconn::importing {

inline constexpr std::size_t k_largest_text = 16U << 20U;
inline constexpr std::size_t k_most_connections = 10'000;
/// Of one text; a hostile one has millions.
inline constexpr std::size_t k_most_findings = 1'000;

class Run {
public:
    Run(const ImportOptions& options, Imported& out);

    void read(const ImportSource& source);
    /// After the last source.
    void finish();

    // ---- for importers ----

    /// @param place  of a key or name where it has a length: the line is shown up to it. Of a value, or of what may be one: length 1, nothing is
    /// shown
    /// @param message  quotes no value of the source
    void note(std::string_view code, Place place, std::string message, std::string hint = {}, std::string_view connection = {});
    void warning(std::string_view code, Place place, std::string message, std::string hint = {}, std::string_view connection = {});
    void error(std::string_view code, Place place, std::string message, std::string hint = {}, std::string_view connection = {});

    /// A connection's name: such as definitions may have, and free. What had to be mended is told.
    std::string name(std::string_view wanted, Place place);
    /// Whether another connection may be begun; tells once where not.
    bool may_begin(Place place);

    /// A secret of the source as it is written: a reference to a new variable, or the text itself where secrets are kept.
    /// @param what  "password", "the header Authorization"; gives the variable its name
    std::string secret(std::string_view connection, std::string_view what, std::string_view value);
    /// A reference to what the source keeps elsewhere.
    /// @param kept  in words: "key 'mail' of the secret 'smtp'"
    /// @param variable  the environment variable that the source names itself; empty: a new one
    std::string secret_elsewhere(std::string_view connection, std::string_view what, std::string kept, std::string_view variable = {});

    /// Makes the draft a definition, or tells why it cannot be one.
    void add(Draft draft);
    /// For sources that have definitions: the name is mended, the password of the URL and options with names of credentials become references.
    void add(Definition definition);
    /// All of them, with what their reader found.
    void add(ParsedDefinitions parsed);
    /// For readers that want it for their findings.
    const std::string& file() const noexcept { return file_; }
    const ImportOptions& options() const noexcept { return options_; }
    const Catalogue& catalogue() const noexcept { return catalogue_; }
    /// The connection that was begun is left out: nobody has to set its secrets.
    void discard(std::string_view connection);

private:
    void finding(Severity severity, std::string_view code, Place place, std::string message, std::string hint, std::string_view connection);
    std::string source_line(Place place) const;
    std::string variable(std::string_view connection, std::string_view what);
    void accept(Definition definition);

    const ImportOptions& options_;
    const Catalogue& catalogue_;
    Imported& out_;
    std::string file_;
    std::string_view text_;
    std::vector<std::size_t> line_starts_;
    std::size_t first_finding_{0};
    std::size_t unshown_{0};
    bool full_{false};
    /// With the next number for those that want the same one.
    std::map<std::string, std::size_t, std::less<>> names_;
    std::map<std::string, std::size_t, std::less<>> variables_;
    /// How many definitions each scheme has that the catalogue does not know.
    std::map<std::string, std::size_t, std::less<>> unknown_schemes_;
};

/// A name for a message: quoted, cut where a character follows that is none of names.
std::string quoted(std::string_view name);

}  // namespace qconn::importing
