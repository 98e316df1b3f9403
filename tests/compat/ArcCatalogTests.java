import org.apache.iceberg.rest.RESTCompatibilityKitCatalogTests;
import org.junit.jupiter.api.Test;

/** The kit with those of its switches on that are constants in it, as far as Arc can do what they are about. */
public class ArcCatalogTests extends RESTCompatibilityKitCatalogTests {
  private boolean emptyNamespace = false;

  @Override
  protected boolean supportsNamesWithSlashes() {
    return true;
  }

  @Override
  protected boolean supportsEmptyNamespace() {
    return emptyNamespace;
  }

  /** Of the tests about the empty namespace the one that only lists: it must not be there, nor be in a listing. */
  @Test
  @Override
  public void listNamespacesWithEmptyNamespace() {
    emptyNamespace = true;
    super.listNamespacesWithEmptyNamespace();
  }

  /** Disabled in the kit, which cannot configure a server for it; Arc needs no configuration. */
  @Test
  @Override
  public void createTableInUniqueLocation() {
    super.createTableInUniqueLocation();
  }
}
