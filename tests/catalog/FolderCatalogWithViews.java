import java.io.File;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.catalyst.analysis.NoSuchViewException;
import org.apache.spark.sql.catalyst.analysis.ViewAlreadyExistsException;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Relation;
import org.apache.spark.sql.connector.catalog.RelationCatalog;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.View;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/** The same with views, each a file; Spark has them in such catalogs since 4.2. */
public class FolderCatalogWithViews extends FolderCatalog implements RelationCatalog {
    private static final String ENDING = ".view";

    private File file(Identifier ident) {
        return new File(folder(ident.namespace()), ident.name() + ENDING);
    }

    private static String called(Identifier ident) {
        return String.join(".", ident.namespace()) + "." + ident.name();
    }

    @Override
    public Relation loadRelation(Identifier ident) throws NoSuchTableException {
        return file(ident).exists() ? view(ident) : super.loadTable(ident);
    }

    @Override
    public Table loadTable(Identifier ident) throws NoSuchTableException {
        return super.loadTable(ident);
    }

    @Override
    public View loadView(Identifier ident) throws NoSuchViewException {
        if (!file(ident).exists()) {
            throw new NoSuchViewException(ident);
        }
        return view(ident);
    }

    private View view(Identifier ident) {
        Properties values = read(file(ident));
        return new View.Builder()
                .withSchema((StructType) DataType.fromJson(values.getProperty("schema")))
                .withProperties(under("property.", values))
                .withQueryText(values.getProperty("query"))
                .withCurrentCatalog(values.getProperty("catalog"))
                .withCurrentNamespace(split(values.getProperty("namespace")))
                .withSqlConfigs(under("setting.", values))
                .withSchemaMode(values.getProperty("mode"))
                .withQueryColumnNames(split(values.getProperty("names")))
                .build();
    }

    private void put(Identifier ident, View view) {
        Properties values = new Properties();
        values.setProperty("schema", view.schema().json());
        view.properties().forEach((key, value) -> values.setProperty("property." + key, value));
        values.setProperty("query", view.queryText());
        values.setProperty("catalog", view.currentCatalog() == null ? "" : view.currentCatalog());
        values.setProperty("namespace", String.join(",", view.currentNamespace()));
        view.sqlConfigs().forEach((key, value) -> values.setProperty("setting." + key, value));
        if (view.schemaMode() != null) {
            values.setProperty("mode", view.schemaMode());
        }
        values.setProperty("names", String.join(",", view.queryColumnNames()));
        write(file(ident), values);
    }

    private static Map<String, String> under(String prefix, Properties values) {
        Map<String, String> found = new HashMap<>();
        for (String key : values.stringPropertyNames()) {
            if (key.startsWith(prefix)) {
                found.put(key.substring(prefix.length()), values.getProperty(key));
            }
        }
        return found;
    }

    private static String[] split(String text) {
        return text.isEmpty() ? new String[0] : text.split(",");
    }

    @Override
    public Identifier[] listViews(String[] namespace) throws NoSuchNamespaceException {
        List<Identifier> found = new ArrayList<>();
        for (File each : below(namespace)) {
            if (each.getName().endsWith(ENDING)) {
                found.add(Identifier.of(namespace, each.getName().substring(0, each.getName().length() - ENDING.length())));
            }
        }
        return found.toArray(new Identifier[0]);
    }

    @Override
    public View createView(Identifier ident, View view) throws ViewAlreadyExistsException {
        change("create view", called(ident));
        if (file(ident).exists()) {
            throw new ViewAlreadyExistsException(ident);
        }
        put(ident, view);
        return view;
    }

    @Override
    public View replaceView(Identifier ident, View view) throws NoSuchViewException {
        loadView(ident);
        change("alter view", called(ident));
        put(ident, view);
        return view;
    }

    @Override
    public View createOrReplaceView(Identifier ident, View view) {
        change("create or replace view", called(ident));
        put(ident, view);
        return view;
    }

    @Override
    public boolean dropView(Identifier ident) {
        change("drop view", called(ident));
        return file(ident).delete();
    }

    @Override
    public void renameView(Identifier from, Identifier to) {
        throw new UnsupportedOperationException("rename view");
    }
}
