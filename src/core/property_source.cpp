// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/property_source.hpp>

#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include <qconn/base/error.hpp>

#include "base/text.hpp"
#include "base/yaml.hpp"
#include "core/known_files.hpp"
#include "core/whole_file.hpp"

namespace qconn {

namespace {

constexpr std::size_t k_most_bytes = 1024 * 1024;

/// @note Thread-safe; a reading holds up the others, who need what it brings.
class PropertyFile final : public PropertySource {
public:
    explicit PropertyFile(std::string path) : path_{std::move(path)} {}

    std::optional<Secret> lookup(std::string_view domain, std::string_view key) override {
        const std::scoped_lock lock{mutex_};
        struct stat status {};
        if (!stamp_ || ::stat(path_.c_str(), &status) != 0 || FileStamp::of(status) != *stamp_) read();
        const auto values = values_.find(domain);
        if (values == values_.end()) return std::nullopt;
        const auto value = values->second.find(key);
        return value == values->second.end() ? std::nullopt : std::optional{value->second};
    }

private:
    using FileStamp = core::FileStamp;

    [[noreturn]] void fail(const std::string& why, Reason reason) const {
        throw make_error(Errc::secret, "reading the properties in \"" + text::printable(path_) + "\" failed: " + why)
            .with_phase(Phase::secret)
            .with_reason(reason);
    }
    /// Quotes no value.
    [[noreturn]] void fail_at(const yaml::Mark& at, const std::string& why) const {
        fail("line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ": " + why, Reason::bad_value);
    }

    void read() {
        stamp_.reset();
        values_.clear();
        std::string text;
        struct stat status {};
        if (const int problem = core::read_whole_file(path_, k_most_bytes, text, &status); problem != 0)
            fail(core::file_problem(problem, k_most_bytes), core::file_reason(problem));
        if (status.st_mode & (S_IRWXO | S_IWGRP)) {
            wipe(text);
            fail("its rights let others read or change it; `chmod 640` or less", Reason::permission);
        }
        const auto tree = yaml::parse(text, {.size = k_most_bytes, .depth = 8, .nodes = 100'000});
        wipe(text);
        // The words of the problem may quote the text.
        if (!tree.problems.empty()) fail_at(tree.problems.front().at, "this is no YAML that can be read (" + tree.problems.front().code + ")");
        if (tree.documents.size() > 1) fail_at(tree.documents[1].root->start(), "a second document begins here");
        if (!tree.documents.empty()) take(*tree.documents.front().root);
        if (const auto stamp = FileStamp::of(status); stamp.is_settled()) stamp_ = stamp;
    }

    void take(const yaml::Node& root) {
        if (root.is_null()) return;
        if (!root.is_mapping()) fail_at(root.start(), "a map of domains must stand here");
        decltype(values_) values;
        for (const auto [domain, keys] : root.entries()) {
            if (!domain.is_scalar() || (!keys.is_mapping() && !keys.is_null())) fail_at(keys.start(), "a domain must have a map of keys to texts");
            auto& into = values[std::string{domain.text()}];
            for (const auto [key, value] : keys.entries()) {
                if (!key.is_scalar() || !value.is_scalar()) fail_at(value.start(), "a key must have a text");
                if (!value.is_null()) into.insert_or_assign(std::string{key.text()}, Secret{value.text()});
            }
        }
        values_ = std::move(values);
    }

    const std::string path_;
    std::mutex mutex_;  // guards what follows
    std::optional<FileStamp> stamp_;
    std::map<std::string, std::map<std::string, Secret, std::less<>>, std::less<>> values_;
};

}  // namespace

PropertySource::~PropertySource() = default;

std::shared_ptr<PropertySource> property_file(std::string path) { return std::make_shared<PropertyFile>(std::move(path)); }

}  // namespace qconn
