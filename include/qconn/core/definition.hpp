// SPDX-License-Identifier: Apache-2.0
/// What a qconn document says about one connection, and the reading and writing of such documents.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/base/value.hpp>
#include <qconn/core/diagnostic.hpp>

namespace qconn {

namespace core {
class ParsedSource;
}

/// One connection as its document says it, nothing resolved and no default filled in. Plain data.
struct Definition {
    std::string name;         ///< at most 160 characters
    std::string description;  ///< at most 4000
    /// As written; may hold secret references such as `${env:SHOP_PASSWORD}`.
    std::string url;
    /// By name, in the order written, with their final types once they have passed a check. A null means "explicitly unset": no default comes in its
    /// place.
    Map options;
    std::optional<bool> enabled;
    std::optional<bool> monitored;
    std::optional<bool> locked;
    std::optional<bool> debug_data;
    std::string display_name;
    std::string short_description;
    Map tags;
    /// Keys that qconn does not know, kept so that writing loses nothing.
    Map other;
    /// Where it came from; not written, and of no account for equality. The place is that of the name, or of the document where it has none.
    std::string file;
    Place place;

    /// Lower case; empty where the URL has none.
    QCONN_API std::string scheme() const;

    QCONN_API friend bool operator==(const Definition& a, const Definition& b) noexcept;
};

/// What reading a text gave: each document that is a connection, whole or not, and all findings.
struct ParsedDefinitions {
    std::vector<Definition> definitions;
    Diagnostics diagnostics;
    /// The text is not in the form that it should have; `definitions` then is empty.
    bool unreadable{false};
    /// Values of environment variables are in it (legacy form): read again it may give others.
    bool uses_environment{false};
    /// The positions of everything in it, for Catalogue::check. Needed no longer once that is done.
    std::shared_ptr<const core::ParsedSource> source{};
};

/// Limits for hostile definitions; exceeding one is a diagnostic (code `limit`).
struct DefinitionLimits {
    std::size_t max_file_size{16 * 1024 * 1024};
    std::size_t max_depth{64};
    /// Nodes in one file, aliases counted as often as they are used.
    std::size_t max_nodes{1'000'000};
};

/// Reads qconn YAML: one or several documents, each `type: connection`. Options are taken as they stand (typed or plain spelling); their
/// checking needs a scheme, see Catalogue::check.
/// @param file  for the diagnostics
QCONN_API ParsedDefinitions parse_definitions(std::string_view text, std::string_view file, const DefinitionLimits& limits = {});

/// Canonical qconn YAML: keys in the order type, name, desc, url, options, then the others; typed values where a plain one would be read
/// back differently. Reading it gives an equal Definition. Writes secrets that stand in it literally.
QCONN_API std::string to_yaml(const Definition& definition);

}  // namespace qconn
