// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

namespace qconn {

/// Guesses how large a list or map will be that is being read: as large as the last one on its level, as those are mostly of one kind. So what is
/// reserved in vain on a level is never more than what was read on it; below the levels that it knows, the guess stays small.
class SizeHints {
public:
    SizeHints() noexcept { sizes_.fill(k_usual); }
    std::size_t guess(std::size_t level) const noexcept { return level < sizes_.size() ? sizes_[level] : k_usual; }
    void learn(std::size_t level, std::size_t size) noexcept {
        if (level < sizes_.size()) sizes_[level] = size;
    }

private:
    static constexpr std::size_t k_usual = 4;
    std::array<std::size_t, 16> sizes_;
};

}  // namespace qconn
