// SPDX-License-Identifier: Apache-2.0
#include "schemes/odata.hpp"

#include <string>

#include "schemes/convert.hpp"

namespace qconn::schemes {

std::optional<RestFault> odata_fault(const Value& body) {
    const Value& error = body["error"];
    if (!error.is_map()) return std::nullopt;
    const Value& code = error["code"];
    const Value& message = error["message"].is_map() ? error["message"]["value"] : error["message"];
    if (!message.is_string() || code.is_map() || code.is_list()) return std::nullopt;
    return RestFault{scalar_text(code), std::string{message.as_string()}};
}

}  // namespace qconn::schemes
