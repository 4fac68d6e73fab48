from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('team', '0002_sign_in'),
    ]

    operations = [
        migrations.AddField(
            model_name='member',
            name='hidden_columns',
            field=models.JSONField(default=dict),
        ),
    ]
