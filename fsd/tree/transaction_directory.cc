#include "fsd/tree/transaction_directory.h"

#include <fcntl.h>

#include "fsd/tree/content_identity.h"
#include "fsd/tree/special_directory.h"
#include "fsd/tree/special_names.h"
#include "fsd/tree/store_directory.h"
#include "fsd/tree/transaction_file.h"
#include "fsd/tree/transactions.h"

namespace stela::fsd {
namespace {

// The folder of one transaction: the dataset, or the whole tree, and the two files beside.
class TransactionDirectory : public StoreDirectory, public Directory {
 public:
  explicit TransactionDirectory(TransactionTree& transaction)
      : StoreDirectory(transaction.inside(), transaction.dataset()) {}

  Directory* directory() override { return this; }
  Result<Shown> attributes(bool may_compute) override {
    STELA_ASSIGN(Shown shown, StoreDirectory::attributes(may_compute));
    shown.attributes.inode = inode_of(context().scope);
    return shown;
  }

  Result<NodeRef> lookup(std::string_view name, const Caller& caller) override {
    NodeRef file = transaction_file(context(), name);
    return file != nullptr ? file : below().lookup(name, caller);
  }
  Result<std::vector<DirectoryEntry>> list() override { return below().list(); }
  Result<NodeRef> make_directory(std::string_view name, uint32_t mode, const Caller& caller) override {
    if (owner() != kRootNode && find_special_name(name) == nullptr) {
      return invalid(
          path() + "/" + std::string(name) +
          ": a transaction of one dataset makes no others; begin one of all with mkdir .stela/tx/NAME in the "
          "root of the mount");
    }
    return below().make_directory(name, mode, caller);
  }
  Status remove_file(std::string_view name, const Caller& caller) override {
    if (transaction_file(context(), name) != nullptr) return refusal(name);
    return below().remove_file(name, caller);
  }
  Status remove_directory(std::string_view name, const Caller& caller) override {
    return below().remove_directory(name, caller);
  }
  Result<Created> create_file(std::string_view name, uint32_t mode, uint32_t flags, const Caller& caller) override {
    NodeRef file = transaction_file(context(), name);
    if (file == nullptr) return below().create_file(name, mode, flags, caller);
    STELA_ASSIGN(std::unique_ptr<OpenFile> opened, file->open(flags | O_WRONLY, caller));
    return Created{std::move(file), std::move(opened)};
  }
  Result<Movable> movable(std::string_view name, const Caller& caller) override {
    if (transaction_file(context(), name) != nullptr) return refusal(name);
    return below().movable(name, caller);
  }
  Status move_in(const Movable& what, std::string_view new_name, bool keep_existing, const Caller& caller) override {
    if (transaction_file(context(), new_name) != nullptr) return refusal(new_name);
    return below().move_in(what, new_name, keep_existing, caller);
  }

 protected:
  Status refusal(std::string_view name) const override {
    return {Code::kNotPermitted, path() + "/" + std::string(name) + " belongs to the transaction"};
  }

 private:
  Directory& below() { return *StoreDirectory::directory(); }
};

class TransactionsDirectory : public SpecialDirectory {
 public:
  TransactionsDirectory(TreeContext& context, NodeId dataset)
      : SpecialDirectory(context, transactions_key(dataset), dataset, ".tx", true) {}
  std::string path() const override {
    return dataset() == kRootNode ? "/.stela/" + std::string(kTransactionsName) : SpecialDirectory::path();
  }
  bool keeps_refused_names() const override { return false; }

  Result<NodeRef> lookup(std::string_view name, const Caller&) override {
    TransactionRef found = context().transactions->find(dataset(), name);
    return found == nullptr ? absent(name) : node_of(*found);
  }
  Result<std::vector<DirectoryEntry>> list() override {
    std::vector<DirectoryEntry> entries;
    for (const std::string& name : context().transactions->names(dataset())) {
      TransactionRef found = context().transactions->find(dataset(), name);
      if (found != nullptr) entries.push_back({name, FileType::kDirectory, inode_of(found->inside().scope)});
    }
    return entries;
  }
  Result<NodeRef> make_directory(std::string_view name, uint32_t, const Caller&) override {
    auto begun = context().transactions->begin(dataset(), name);
    if (!begun.ok()) return begun.status().with_context(path() + "/" + std::string(name));
    return node_of(**begun);
  }
  Status remove_directory(std::string_view name, const Caller& caller) override {
    TransactionRef found = context().transactions->find(dataset(), name);
    if (found == nullptr) return absent(name).status();
    found->give_up("the transaction was given up by " + context().processes->user_name(caller.uid) + " (rmdir)");
    return {};
  }
  Result<Movable> movable(std::string_view name, const Caller&) override {
    return Status(Code::kNotPermitted,
                  path() + "/" + std::string(name) + ": a transaction keeps the name it began with");
  }
  Status move_in(const Movable&, std::string_view name, bool, const Caller&) override {
    return invalid(path() + "/" + std::string(name) + ": a transaction begins with mkdir");
  }
  Result<Created> create_file(std::string_view name, uint32_t, uint32_t, const Caller&) override {
    return invalid(path() + "/" + std::string(name) + ": a transaction is a folder: begin it with mkdir");
  }

 private:
  Result<NodeRef> absent(std::string_view name) const {
    return not_found(path() + "/" + std::string(name) +
                     ": there is no such transaction, or it was committed or given up; mkdir begins one");
  }
  static NodeRef node_of(TransactionTree& transaction) {
    return keep_transaction(std::make_shared<TransactionDirectory>(transaction));
  }
};

constexpr std::string_view kName = ".tx";

// .commit and .check are names of transactions only: written elsewhere they would commit nothing, and seem to.
class TransactionsName : public SpecialName {
 public:
  bool matches(std::string_view name) const override { return name == kName || name == ".commit" || name == ".check"; }
  Result<NodeRef> open(TreeContext& context, const DatasetPlace& place, std::string_view name) const override {
    std::string path = place.path(context) + "/" + std::string(name);
    if (name != kName) return not_found(path + elsewhere());
    if (context.transaction != nullptr) return nested(path);
    if (!place.head()) {
      return Status(Code::kReadOnly, path + ": a version never changes; begin the transaction in " +
                                         context.path_of(place.dataset) + "/.tx");
    }
    return transactions_directory(context, place.dataset);
  }
  Result<Created> create(TreeContext& context, const DatasetPlace& place, std::string_view name, uint32_t,
                         const Caller&) const override {
    return refuse_creation(place.path(context) + "/" + std::string(name));
  }
  Status refuse_creation(const std::string& path) const override {
    if (path.ends_with(kName)) return {Code::kExists, path + " is there already: begin a transaction in it with mkdir"};
    return invalid(path + elsewhere());
  }
  std::vector<DirectoryEntry> listed(const DatasetPlace& place) const override {
    if (!place.head()) return {};
    return {{std::string(kName), FileType::kDirectory, inode_of(transactions_key(place.dataset))}};
  }

 private:
  static std::string elsewhere() {
    return ": only a transaction's own folder has that name: begin one with mkdir .tx/NAME, or with mkdir "
           ".stela/tx/NAME in the root of the mount";
  }
  static Status nested(const std::string& path) {
    return invalid(path + ": a transaction cannot begin within another; commit this one first");
  }
};

}  // namespace

std::string transactions_key(NodeId dataset) { return "y" + node_identity(dataset); }

NodeRef transactions_directory(TreeContext& context, NodeId dataset) {
  return std::make_shared<TransactionsDirectory>(context, dataset);
}

const SpecialName& transactions_name() {
  static const TransactionsName name;
  return name;
}

}  // namespace stela::fsd
