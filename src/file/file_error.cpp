// SPDX-License-Identifier: Apache-2.0
#include "file/file_error.hpp"

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/code_category.hpp"
#include "base/file_reason.hpp"
#include "base/text.hpp"

namespace qconn {
namespace {

// In the order of FileErrc, which begins with 1.
constexpr std::array<CodeWords, 6> k_file_codes{{
    {"FILE-ERROR", "the file system refused"},
    {"FILE-READ-ONLY-ERROR", "the connection is read-only"},
    {"FILE-PATH-ERROR", "the path leads out of the connection's directory"},
    {"FILE-LIMIT-ERROR", "the file is too large"},
    {"CONNECTION-ERROR", "the connection's directory cannot be used"},
    {"TRANSFER-ERROR", "a copy is not what its original is"},
}};

std::string_view name_of(FileErrc code) noexcept { return code_name(k_file_codes, code); }

}  // namespace

const std::error_category& file_category() noexcept {
    static const CodeCategory category{"qconn.file", k_file_codes};
    return category;
}

std::error_code make_error_code(FileErrc code) noexcept { return {static_cast<int>(code), file_category()}; }

FileErrorDetail::~FileErrorDetail() = default;

namespace file {
namespace {

std::string_view advice(Reason reason) {
    switch (reason) {
        case Reason::not_found: return "check the path";
        case Reason::permission: return "check owner and mode, and whether the file system is mounted read-only";
        case Reason::exists: return "remove it first, or allow replacing it";
        case Reason::disk_full: return "free some space";
        default: return {};
    }
}

std::string sentence(const Task& task, std::string_view what) {
    std::string text{task.verb};
    if (!task.path.empty()) text += " \"" + text::printable(task.path) + '"';
    text += " in " + text::printable(task.directory) + " failed: ";
    text += what;
    return text;
}

Error labelled(const Task& task, Error error) {
    if (!task.label.empty()) error.with_connection(task.label);
    return error;
}

}  // namespace

Error file_error(const Task& task, int error) {
    const Reason reason = file_reason(error);
    std::string text = sentence(task, std::system_category().message(error));
    if (const auto hint = advice(reason); !hint.empty()) text.append("; ").append(hint);
    Error result{FileErrc::failed, name_of(FileErrc::failed), std::move(text)};
    result.with_phase(Phase::protocol).with_reason(reason);
    result.with_retryable(reason == Reason::disk_full || reason == Reason::local || reason == Reason::timeout);
    result.with_detail(std::make_shared<FileErrorDetail>(std::error_code{error, std::system_category()}, std::string{task.path}));
    return labelled(task, std::move(result));
}

Error file_error(const Task& task, FileErrc code, Reason reason, std::string_view what) {
    Error result{code, name_of(code), sentence(task, what)};
    result.with_phase(Phase::protocol).with_reason(reason);
    result.with_detail(std::make_shared<FileErrorDetail>(std::error_code{}, std::string{task.path}));
    return labelled(task, std::move(result));
}

Error stopped(const Task& task, bool cancelled, std::string_view addition) {
    std::string what = cancelled ? "it was cancelled" : "the deadline has passed";
    what += addition;
    Error result = make_error(cancelled ? Errc::cancelled : Errc::timeout, sentence(task, what));
    result.with_phase(Phase::protocol);
    return labelled(task, std::move(result));
}

Error directory_error(const Task& task, int error, std::string_view what) {
    std::string text = "the directory " + text::printable(task.directory) + ' ' + std::string{what};
    if (error != 0) text += ": " + std::system_category().message(error);
    Error result{FileErrc::directory, name_of(FileErrc::directory), std::move(text)};
    result.with_phase(Phase::connect).with_reason(error == 0 ? Reason::bad_value : file_reason(error));
    if (error != 0) result.with_detail(std::make_shared<FileErrorDetail>(std::error_code{error, std::system_category()}, std::string{}));
    return labelled(task, std::move(result));
}

}  // namespace file
}  // namespace qconn
