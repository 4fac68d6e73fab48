from django.db import migrations, models

import muster.catalog.models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0002_observed_events'),
    ]

    operations = [
        migrations.AddField(
            model_name='publisher',
            name='unset_consents',
            field=models.JSONField(default=muster.catalog.models._unset_consents),
        ),
    ]
