// SPDX-License-Identifier: Apache-2.0
/// A connection on its way from the words of a source to a definition.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/value.hpp>
#include <qconn/core/diagnostic.hpp>

namespace qconn::importing {

/// The parts of a definition. All texts are as they are written: secrets are references, a literal `${` is `$${`.
struct Draft {
    std::string name;
    Place place;
    std::string description;
    /// "db" makes a datasource URL of driver, database, charset and settings.
    std::string scheme;
    std::string user;
    std::optional<std::string> password;
    std::string host;
    std::optional<std::uint16_t> port;
    /// With its leading '/', and the query.
    std::string path;
    Map options;

    std::string driver;
    std::string database;
    std::string charset;
    std::vector<std::pair<std::string, std::string>> settings;
};

/// Text as it stands in a definition where it means itself: `${` as `$${`.
std::string literal(std::string_view text);

/// The URL; absent where a part holds what a URL of its kind cannot say, so that it would be read back as something else.
std::optional<std::string> url_of(const Draft& draft);

}  // namespace qconn::importing
