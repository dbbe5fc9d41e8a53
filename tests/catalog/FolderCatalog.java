import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.analysis.NamespaceAlreadyExistsException;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.connector.catalog.CatalogV2Util;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.NamespaceChange;
import org.apache.spark.sql.connector.catalog.SupportsNamespaces;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.connector.catalog.TableChange;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.delta.DeltaTimeTravelSpec;
import org.apache.spark.sql.delta.catalog.DeltaTableV2;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;
import scala.Option;

/**
 * A catalog beside the session's own, without views: a schema is a folder, a Delta table a folder in it.
 *
 * <p>It notes every change in changes.log, and refuses the kinds that its option `refused` names, as Unity Catalog does
 * where a right is missing.
 */
public class FolderCatalog implements TableCatalog, SupportsNamespaces {
    private static final Set<String> OF_THE_CATALOG = Set.of("provider", "owner", "comment", "location", "external");
    private static final String SCHEMA = ".schema";
    private String name;
    private File root;
    private List<String> refused;

    @Override
    public void initialize(String name, CaseInsensitiveStringMap options) {
        this.name = name;
        root = new File(options.get("root"));
        root.mkdirs();
        refused = Arrays.asList(options.getOrDefault("refused", "").split(","));
    }

    @Override
    public String name() {
        return name;
    }

    protected File folder(Identifier ident) {
        return new File(folder(ident.namespace()), ident.name());
    }

    protected File folder(String[] namespace) {
        return new File(root, String.join("/", namespace));
    }

    protected void change(String what, String of) {
        change(what, of, of);
    }

    private void change(String what, String of, String on) {
        if (refused.contains(what)) {
            throw new SecurityException("PERMISSION_DENIED: User does not have " + what.toUpperCase() + " on " + on + ".");
        }
        try {
            byte[] line = (what + " " + of + "\n").getBytes(StandardCharsets.UTF_8);
            File log = new File(root, "changes.log");
            Files.write(log.toPath(), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
    }

    protected static Properties read(File file) {
        Properties found = new Properties();
        try (FileInputStream in = new FileInputStream(file)) {
            found.load(in);
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
        return found;
    }

    protected static void write(File file, Properties values) {
        try (FileOutputStream out = new FileOutputStream(file)) {
            values.store(out, null);
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
    }

    private static void remove(File file) {
        File[] below = file.listFiles();
        for (File each : below == null ? new File[0] : below) {
            remove(each);
        }
        file.delete();
    }

    protected File[] below(String[] namespace) throws NoSuchNamespaceException {
        File[] found = folder(namespace).listFiles();
        if (found == null) {
            throw new NoSuchNamespaceException(namespace);
        }
        return found;
    }

    @Override
    public String[][] listNamespaces() {
        List<String[]> found = new ArrayList<>();
        for (File each : root.listFiles(File::isDirectory)) {
            found.add(new String[] {each.getName()});
        }
        return found.toArray(new String[0][]);
    }

    @Override
    public String[][] listNamespaces(String[] namespace) throws NoSuchNamespaceException {
        if (namespace.length == 0) {
            return listNamespaces();
        }
        loadNamespaceMetadata(namespace);
        return new String[0][];
    }

    @Override
    public Map<String, String> loadNamespaceMetadata(String[] namespace) throws NoSuchNamespaceException {
        File file = new File(folder(namespace), SCHEMA);
        if (namespace.length != 1 || !file.exists()) {
            throw new NoSuchNamespaceException(namespace);
        }
        Map<String, String> found = new HashMap<>();
        read(file).forEach((key, value) -> found.put((String) key, (String) value));
        return found;
    }

    @Override
    public void createNamespace(String[] namespace, Map<String, String> metadata)
            throws NamespaceAlreadyExistsException {
        change("create schema", String.join(".", namespace), "Catalog '" + name + "'");
        if (!folder(namespace).mkdir()) {
            throw new NamespaceAlreadyExistsException(namespace);
        }
        Properties values = new Properties();
        values.putAll(metadata);
        write(new File(folder(namespace), SCHEMA), values);
    }

    @Override
    public void alterNamespace(String[] namespace, NamespaceChange... changes) {
        throw new UnsupportedOperationException("alter schema");
    }

    @Override
    public boolean dropNamespace(String[] namespace, boolean cascade) {
        change("drop schema", String.join(".", namespace));
        boolean wasThere = folder(namespace).exists();
        remove(folder(namespace));
        return wasThere;
    }

    @Override
    public Identifier[] listTables(String[] namespace) throws NoSuchNamespaceException {
        List<Identifier> found = new ArrayList<>();
        for (File each : below(namespace)) {
            if (new File(each, "_delta_log").isDirectory()) {
                found.add(Identifier.of(namespace, each.getName()));
            }
        }
        return found.toArray(new Identifier[0]);
    }

    private Table table(Identifier ident, Option<DeltaTimeTravelSpec> when) throws NoSuchTableException {
        if (!new File(folder(ident), "_delta_log").isDirectory()) {
            throw new NoSuchTableException(ident);
        }
        Path path = new Path(folder(ident).toURI());
        Option<String> called = Option.apply(name + "." + ident);
        return new DeltaTableV2(
                SparkSession.active(), path, Option.empty(), called, when, DeltaTableV2.apply$default$5());
    }

    @Override
    public Table loadTable(Identifier ident) throws NoSuchTableException {
        return table(ident, Option.empty());
    }

    @Override
    public Table loadTable(Identifier ident, String version) throws NoSuchTableException {
        Option<Object> number = Option.apply(Long.valueOf(version));
        boolean other = DeltaTimeTravelSpec.apply$default$4();
        return table(ident, Option.apply(new DeltaTimeTravelSpec(Option.empty(), number, Option.empty(), other)));
    }

    @Override
    public Table createTable(Identifier ident, Column[] columns, Transform[] partitions, Map<String, String> properties) {
        change("create table", String.join(".", ident.namespace()) + "." + ident.name());
        List<String> set = new ArrayList<>();
        for (Map.Entry<String, String> each : properties.entrySet()) {
            if (!OF_THE_CATALOG.contains(each.getKey())) {
                set.add(text(each.getKey()) + " = " + text(each.getValue()));
            }
        }
        String by = Arrays.stream(partitions)
                .map(each -> each.references()[0].fieldNames()[0])
                .collect(Collectors.joining(", "));
        SparkSession.active().sql("CREATE TABLE " + path(ident)
                + " (" + CatalogV2Util.v2ColumnsToStructType(columns).toDDL() + ") USING delta"
                + (by.isEmpty() ? "" : " PARTITIONED BY (" + by + ")")
                + " COMMENT " + text(properties.getOrDefault("comment", ""))
                + (set.isEmpty() ? "" : " TBLPROPERTIES (" + String.join(", ", set) + ")"));
        return null;
    }

    @Override
    public Table alterTable(Identifier ident, TableChange... changes) throws NoSuchTableException {
        change("alter table", String.join(".", ident.namespace()) + "." + ident.name());
        List<String> properties = new ArrayList<>();
        List<String> columns = new ArrayList<>();
        for (TableChange each : changes) {
            if (each instanceof TableChange.SetProperty) {
                TableChange.SetProperty set = (TableChange.SetProperty) each;
                properties.add(text(set.property()) + " = " + text(set.value()));
            } else if (each instanceof TableChange.AddColumn) {
                TableChange.AddColumn add = (TableChange.AddColumn) each;
                columns.add(add.fieldNames()[0] + " " + add.dataType().sql() + " COMMENT " + text(add.comment()));
            } else {
                throw new UnsupportedOperationException(each.toString());
            }
        }
        alter(ident, "SET TBLPROPERTIES", properties);
        alter(ident, "ADD COLUMNS", columns);
        return loadTable(ident);
    }

    private void alter(Identifier ident, String how, List<String> parts) {
        if (!parts.isEmpty()) {
            SparkSession.active().sql("ALTER TABLE " + path(ident) + " " + how + " (" + String.join(", ", parts) + ")");
        }
    }

    /** The table's folder as the session's own catalog names it, whichever catalog is the current one. */
    private String path(Identifier ident) {
        return "spark_catalog.delta.`" + folder(ident).getAbsolutePath() + "`";
    }

    private static String text(String value) {
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }

    @Override
    public boolean dropTable(Identifier ident) {
        change("drop table", String.join(".", ident.namespace()) + "." + ident.name());
        boolean wasThere = folder(ident).exists();
        remove(folder(ident));
        return wasThere;
    }

    @Override
    public void renameTable(Identifier from, Identifier to) {
        throw new UnsupportedOperationException("rename table");
    }
}
