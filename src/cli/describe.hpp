// SPDX-License-Identifier: Apache-2.0
/// Connections and schemes as text and as JSON values, for several commands.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/core/diagnostic.hpp>
#include <qconn/core/option.hpp>
#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>

#include "cli/output.hpp"

namespace qconn::cli {

/// "ok", "disabled", "stale", "invalid".
std::string_view status_word(const ConnectionInfo& info) noexcept;
Style status_style(std::string_view status) noexcept;
/// "valid", "stale", "invalid".
std::string_view validity_word(Validity validity) noexcept;
Value diagnostic_value(const Diagnostic& d);
/// A setting that an operator has made otherwise than the connection's file says.
struct OperatorSetting {
    std::string name;
    Value in_file;
    Value in_use;
};
std::vector<OperatorSetting> operator_settings(const Registry& registry, const ConnectionInfo& info);
/// By name, what the file says; for JSON.
Value in_file_value(const std::vector<OperatorSetting>& settings);

/// Null where it is not silenced, or nobody has acknowledged anything.
Value silence_value(const ConnectionInfo& info);
Value acknowledged_value(const ConnectionInfo& info);
/// "by ann at 2026-05-01T03:12:44.000Z: ticket 4711"; empty: nobody.
std::string acknowledged_text(const ConnectionInfo& info);

/// @param options  with options and the fields that only `show` gives
Value info_value(const ConnectionInfo& info, bool options);

/// "int, milliseconds".
std::string type_text(const OptionSpec& spec);
/// The default as text; empty where there is none.
std::string default_text(const OptionSpec& spec);
/// "get PATH", "post PATH [BODY]", "list [PATH] [pattern=…]".
std::string usage(const OperationSpec& operation);
/// The one for all other words is the last.
std::vector<const OperationSpec*> listed_operations(const Scheme& scheme);
/// One of them as data.
Value operation_value(const Scheme& scheme, const OperationSpec& operation);
/// "apikey, or client_id and client_secret".
std::string alternatives_text(const RequiredOptions& required);
/// A value as short text on one line: strings without quotes.
std::string plain_text(const Value& value);

}  // namespace qconn::cli
