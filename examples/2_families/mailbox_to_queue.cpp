// SPDX-License-Identifier: Apache-2.0
// Orders that come by mail: each attachment goes into a queue once, and a mail is deleted only when all of its attachments are safe there, whatever
// process dies in between. A directory is the queue.
//
//     mailbox_to_queue DIRECTORY-WITH-DEFINITIONS CONNECTION QUEUE-DIRECTORY
//
// Where a run dies between the hand-over and the commit the server still has the mail. `ledger` has its unique id by then, so the next run deletes it
// without handing it over again.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <qconn/qconn.hpp>
#include <set>
#include <string>

namespace fs = std::filesystem;

namespace {

/// Written, on the disk, and then there under its name: never half a file.
void put_safely(const fs::path& path, std::string_view bytes, int flags = O_TRUNC) {
    const fs::path part = flags == O_TRUNC ? fs::path{path.string() + ".part"} : path;
    const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    const bool written = fd >= 0 && ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) && ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    if (!written) throw std::runtime_error{"cannot write " + path.string()};
    if (part != path) fs::rename(part, path);
}

class Queue {
public:
    explicit Queue(fs::path folder) : folder_{std::move(folder)} {
        fs::create_directories(folder_);
        std::ifstream ledger{folder_ / "ledger"};
        for (std::string line; std::getline(ledger, line);) handed_over_.insert(line);
    }

    bool has(const std::string& uid) const { return handed_over_.count(uid) != 0; }

    qconn::Pop3Verdict take(qconn::Pop3Message& message) {
        const qconn::ParsedMail mail = qconn::parse_mail(std::move(message.text));
        const auto attachments = mail.attachments();
        if (attachments.empty()) {
            std::cout << "left: " << mail.subject() << '\n';
            return qconn::Pop3Verdict::leave;
        }
        // The unique id and a number are the name: the sender's own is not to be trusted with that. Taken again it is the same file.
        int number = 0;
        for (const qconn::MailPart& part : attachments) {
            put_safely(folder_ / (safe(message.entry.uid) + '-' + std::to_string(++number)), part.body());
            std::cout << "queued " << part.file_name() << " of " << (mail.from().empty() ? "nobody" : mail.from().front().address) << '\n';
        }
        put_safely(folder_ / "ledger", message.entry.uid + '\n', O_APPEND);
        return qconn::Pop3Verdict::taken;
    }

private:
    static std::string safe(std::string uid) {
        for (char& c : uid)
            if (c == '/' || c == '.') c = '_';
        return uid;
    }
    const fs::path folder_;
    std::set<std::string> handed_over_;
};

}  // namespace

int main(int count, char** words) {
    if (count != 4) {
        std::cerr << "usage: mailbox_to_queue DIRECTORY-WITH-DEFINITIONS CONNECTION QUEUE-DIRECTORY\n";
        return 2;
    }
    try {
        qconn::Registry registry;
        registry.load(words[1]);
        Queue queue{words[3]};
        qconn::Pop3ProcessOptions options;
        options.choose = [&](const qconn::Pop3Entry& entry) {
            return queue.has(entry.uid) ? qconn::Pop3Choice::remove : qconn::Pop3Choice::retrieve;
        };
        const auto mailbox = registry.get<qconn::Pop3Client>(words[2]);
        const qconn::Pop3Processed done = mailbox->process([&](qconn::Pop3Message& message) { return queue.take(message); }, options);
        std::cout << done.taken << " taken, " << done.left << " left, " << done.removed << " removed\n";
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
