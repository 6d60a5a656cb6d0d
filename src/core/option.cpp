// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/option.hpp>

namespace qconn {

std::string_view to_string(OptionType type) noexcept {
    switch (type) {
        case OptionType::boolean: return "bool";
        case OptionType::integer: return "int";
        case OptionType::number: return "float";
        case OptionType::string: return "string";
        case OptionType::map: return "hash";
        case OptionType::list: return "list";
        case OptionType::data: return "data";
        case OptionType::any: break;
    }
    return "any";
}

std::string_view to_string(Unit unit) noexcept {
    switch (unit) {
        case Unit::none: break;
        case Unit::milliseconds: return "milliseconds";
        case Unit::seconds: return "seconds";
        case Unit::bytes: return "bytes";
        case Unit::percent: return "percent";
    }
    return "";
}

}  // namespace qconn
