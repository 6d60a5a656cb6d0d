// SPDX-License-Identifier: Apache-2.0
/// Errors of the HTTP family, made in one place.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/http/http_client.hpp>

namespace qconn::http {

/// The stable name documented at the code.
std::string_view name_of(HttpErrc code) noexcept;
/// An Error of this family with its stable name.
Error make_http_error(HttpErrc code, std::string message, Phase phase, Reason reason, std::string_view connection = {});

}  // namespace qconn::http
