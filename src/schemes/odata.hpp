// SPDX-License-Identifier: Apache-2.0
/// Errors of OData services: `{"error": {"code": …, "message": …}}` (OData JSON format 4.01 section 21, and 2.0 where the message is a map).
#pragma once

#include <optional>

#include <qconn/rest/rest_client.hpp>

namespace qconn::schemes {

std::optional<RestFault> odata_fault(const Value& body);

}  // namespace qconn::schemes
