// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <qconn/http/http_client.hpp>

#include "base/text.hpp"

namespace qconn {

const std::string* Headers::find(std::string_view name) const noexcept {
    for (const Field& field : fields_) {
        if (text::iequals(field.first, name)) return &field.second;
    }
    return nullptr;
}

std::string_view Headers::get(std::string_view name) const noexcept {
    const std::string* value = find(name);
    return value != nullptr ? std::string_view{*value} : std::string_view{};
}

void Headers::set(std::string_view name, std::string value) {
    const auto same = [name](const Field& field) { return text::iequals(field.first, name); };
    const auto first = std::find_if(fields_.begin(), fields_.end(), same);
    if (first == fields_.end()) {
        fields_.emplace_back(name, std::move(value));
        return;
    }
    first->second = std::move(value);
    fields_.erase(std::remove_if(first + 1, fields_.end(), same), fields_.end());
}

bool Headers::erase(std::string_view name) {
    const auto gone = std::remove_if(fields_.begin(), fields_.end(), [name](const Field& field) { return text::iequals(field.first, name); });
    const bool any = gone != fields_.end();
    fields_.erase(gone, fields_.end());
    return any;
}

}  // namespace qconn
