// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/secret.hpp>

#include <cstring>
#include <ostream>
#include <utility>

#include <string.h>  // explicit_bzero

namespace qconn {

Secret::Secret(std::string_view text) {
    if (text.empty()) return;
    data_ = new char[text.size() + 1];
    size_ = text.size();
    std::memcpy(data_, text.data(), size_);
    data_[size_] = '\0';
}

Secret::Secret(const Secret& other) : Secret{other.reveal()} {}

Secret::Secret(Secret&& other) noexcept : data_{std::exchange(other.data_, nullptr)}, size_{std::exchange(other.size_, 0)} {}

Secret& Secret::operator=(const Secret& other) {
    if (this != &other) *this = Secret{other};
    return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        wipe();
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
    }
    return *this;
}

Secret::~Secret() { wipe(); }

void Secret::wipe() noexcept {
    if (!data_) return;
    explicit_bzero(data_, size_);
    delete[] data_;
    data_ = nullptr;
    size_ = 0;
}

bool operator==(const Secret& a, const Secret& b) noexcept {
    if (a.size_ != b.size_) return false;
    unsigned char difference = 0;
    for (std::size_t i = 0; i < a.size_; ++i) difference = static_cast<unsigned char>(difference | (a.data_[i] ^ b.data_[i]));
    return difference == 0;
}

std::ostream& operator<<(std::ostream& out, const Secret&) { return out << k_masked; }

void wipe(std::string& text) noexcept {
    text.resize(text.capacity());  // what a longer text left behind is wiped too; never reallocates
    explicit_bzero(text.data(), text.size());
    text.clear();
}

}  // namespace qconn
