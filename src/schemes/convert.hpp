// SPDX-License-Identifier: Apache-2.0
/// Small steps that several families need between options, arguments and clients.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <qconn/base/url.hpp>
#include <qconn/base/value.hpp>
#include <qconn/core/definition.hpp>
#include <qconn/core/scheme.hpp>

namespace qconn::schemes {

using PlaceOf = std::function<Place(std::string_view)>;

/// Collects what a scheme's own check finds.
class Findings {
public:
    Findings(const PlaceOf& place_of, Diagnostics& out) : place_of_{place_of}, out_{out} {}
    void error(std::string_view option, std::string code, std::string message, std::string hint = {}) {
        add(Severity::error, option, std::move(code), std::move(message), std::move(hint));
    }
    void warning(std::string_view option, std::string code, std::string message, std::string hint = {}) {
        add(Severity::warning, option, std::move(code), std::move(message), std::move(hint));
    }

private:
    void add(Severity severity, std::string_view option, std::string code, std::string message, std::string hint);

    const PlaceOf& place_of_;
    Diagnostics& out_;
};

/// The URL of a definition with its secret references as words of letters and digits. Empty parts where it cannot be read (the catalogue has said
/// so).
Url url_of(const Definition& definition);

/// Given and not explicitly unset.
bool is_set(const Definition& definition, std::string_view option);
/// An option's value, or null.
const Value& option_of(const ResolvedDefinition& definition, std::string_view option);

/// Text of a scalar as it stands in a header or a query.
std::string scalar_text(const Value& value);
/// A text as a string where it is UTF-8, else as bytes.
Value text_or_bytes(std::string text);
/// An argument of an operation as text, or empty.
std::string text_argument(const Map& arguments, std::string_view name);
/// An argument of an operation as bytes: strings and bytes as they are, anything else is JSON.
std::string body_argument(const Map& arguments, std::string_view name);

}  // namespace qconn::schemes
